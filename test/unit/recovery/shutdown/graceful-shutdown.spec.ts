import type { ActionEntry } from '../../../../lib/recovery/actions/action-log.js';
import type { ShutdownHook } from '../../../../lib/recovery/hooks.js';
import type { AttachOptions, Closable } from '../../../../lib/recovery/recovery-manager.js';
import { GracefulShutdown } from '../../../../lib/recovery/shutdown/graceful-shutdown.js';
import type { ShutdownHost, Traffic } from '../../../../lib/recovery/shutdown/shutdown-host.js';
import { FakeClock, settle } from '../../../../lib/testing/index.js';

/** An application with everything around it, of which every step is written down. */
class Stage {
  readonly clock = new FakeClock();
  readonly said: string[] = [];
  readonly log: string[] = [];
  readonly actions: ActionEntry[] = [];
  readonly signals = new Map<string, () => void>();
  isListening = true;
  requests = 0;
  connections = 0;
  inFlight = 0;
  closing: () => Promise<void> = () => Promise.resolve();
  hooks: ShutdownHook[] = [];
  record: (entry: ActionEntry) => unknown = (entry) => this.actions.push(entry);
  readonly desk: GracefulShutdown;
  readonly app: Closable = {
    close: () => {
      this.say('close app');
      return this.closing();
    },
  };

  constructor(options?: { preStopDelay?: number; grace?: number }, isStarted = true) {
    const say = (what: string) => (): void => this.say(what);
    const traffic = Object.defineProperties(
      {
        sayGoodbye: say('goodbye'),
        stop: say('stop'),
        refuse: say('refuse'),
        disconnect: say('disconnect'),
      },
      {
        isListening: { get: () => this.isListening },
        requests: { get: () => this.requests },
        connections: { get: () => this.connections },
      },
    ) as Traffic;
    const host: ShutdownHost = {
      trafficOf: () => traffic,
      onSignal: (signal, run) => {
        this.signals.set(signal, run);
        return () => this.signals.delete(signal);
      },
      exit: (code) => this.say(`exit ${code}`),
      endInOneStep: () => {},
      inBackground: (task, delay) => this.clock.schedule(task, delay),
      logger: {
        log: (line) => this.log.push(line),
        warn: (line) => this.log.push(`warn: ${line}`),
        error: (line) => this.log.push(`error: ${line}`),
      },
    };
    const calls = Object.defineProperties(
      {
        drain: say('drain'),
        close: say('close calls'),
        cut: say('cut'),
        runLast: <T>(work: () => T): T => {
          this.say('last work');
          return work();
        },
      },
      { inFlight: { get: () => this.inFlight } },
    ) as ConstructorParameters<typeof GracefulShutdown>[1];
    this.desk = new GracefulShutdown(this.clock, calls, host, options);
    if (isStarted) this.desk.started();
    this.desk.connect({ hooks: () => this.hooks, record: (entry) => this.record(entry) });
  }

  attach(options?: AttachOptions): this {
    this.desk.attach(this.app, options);
    return this;
  }

  /** When each step was, in milliseconds since the start. */
  private say(what: string): void {
    this.said.push(`${this.clock.now() - 1_000_000} ${what}`);
  }
}

describe('#92 the order of a shutdown', () => {
  it('an application without traffic ends at once, and the process a second later', async () => {
    const stage = new Stage().attach();
    const done = stage.desk.shutdown('deploy', { by: 'operator' });
    await stage.clock.advance(0);
    await done;

    expect(stage.said).toEqual([
      '0 goodbye',
      '0 drain',
      '0 stop',
      '0 close calls',
      '0 disconnect',
      '0 last work',
      '0 close app',
    ]);
    await stage.clock.advance(1_000);
    expect(stage.said.at(-1)).toBe('1000 exit 0');
    expect(stage.clock.pending).toBe(0);
    expect(stage.log).toEqual(['shutting down: deploy', 'shut down']);
    expect(stage.actions).toEqual([
      { type: 'shutdown', status: 'started', details: 'deploy', by: 'operator' },
      { type: 'shutdown', status: 'success', details: 'deploy', by: 'operator' },
    ]);
  });

  it('requests end before calls are refused, and calls before the last work', async () => {
    const stage = new Stage().attach();
    Object.assign(stage, { requests: 1, inFlight: 2, connections: 1 });
    stage.clock.schedule(() => (stage.requests = 0), 300);
    stage.clock.schedule(() => (stage.inFlight = 0), 500);
    stage.clock.schedule(() => (stage.connections = 0), 600);
    void stage.desk.shutdown('deploy');
    await stage.clock.advance(700);

    expect(stage.said).toEqual([
      '0 goodbye',
      '0 drain',
      '0 stop',
      '300 close calls',
      '600 disconnect',
      '600 last work',
      '600 close app',
    ]);
  });

  it('what does not end is cut when the grace is over, which both have together', async () => {
    const stage = new Stage({ grace: 1_000 }).attach();
    Object.assign(stage, { requests: 1, inFlight: 2, connections: 3 });
    void stage.desk.shutdown('deploy');
    await stage.clock.advance(2_000);

    expect(stage.said.slice(3)).toEqual([
      '1000 close calls',
      '1000 cut',
      '1010 refuse',
      '1260 disconnect',
      '1260 last work',
      '1260 close app',
    ]);
    expect(stage.log).toContain(
      'warn: shutdown: 2 calls and 1 requests have not ended within 1000 ms',
    );
  });

  it('a request that makes no calls is cut too', async () => {
    const stage = new Stage({ grace: 1_000 }).attach();
    stage.requests = 1;
    void stage.desk.shutdown('deploy');
    await stage.clock.advance(2_000);

    expect(stage.said).toContain('1010 refuse');
  });

  it('a grace of nothing waits for nobody', async () => {
    const stage = new Stage({ grace: 0 }).attach();
    stage.inFlight = 1;
    void stage.desk.shutdown('deploy');
    await stage.clock.advance(100);

    expect(stage.said).toContain('0 cut');
  });
});

it('#184 it is shutting down at once, and nothing else happens for as long as preStopDelay', async () => {
  const stage = new Stage({ preStopDelay: 5_000 }).attach();
  const { desk } = stage;
  expect([desk.isAttached, desk.isShuttingDown]).toEqual([true, false]);
  void desk.shutdown('deploy');
  expect(desk.isShuttingDown).toBe(true);
  await stage.clock.advance(4_999);
  expect([stage.said, desk.draining.aborted]).toEqual([['0 goodbye'], false]);
  await stage.clock.advance(1);

  expect(stage.said).toContain('5000 drain');
  expect(desk.draining.aborted).toBe(true);
});

describe('#91 twice is once', () => {
  it('a second call, and a signal, join the first', async () => {
    const stage = new Stage().attach();
    const [one, two] = [stage.desk.shutdown('deploy'), stage.desk.shutdown('other')];
    stage.signals.get('SIGTERM')!();
    await stage.clock.advance(10_000);

    expect(one).toBe(two);
    expect(stage.said.filter((step) => /close app|exit/.test(step))).toHaveLength(2);
    expect(stage.log[0]).toBe('shutting down: deploy');
    // a process that goes on to its end is not to be killed by another one
    stage.desk.closed();
    expect([...stage.signals.keys()]).toEqual(['SIGTERM', 'SIGINT']);
  });

  it('a signal while it starts waits until it has, and listens', async () => {
    const stage = new Stage({}, false).attach();
    stage.isListening = false;
    stage.clock.schedule(() => stage.desk.started(), 3_000);
    stage.clock.schedule(() => (stage.isListening = true), 3_500);
    stage.signals.get('SIGTERM')!();
    expect(stage.desk.isShuttingDown).toBe(true);
    await stage.clock.advance(4_000);

    expect(stage.said).toMatchObject({ 0: '3500 goodbye', 6: '3500 close app' });
  });

  it('one that never starts, or never listens, is not waited for for ever', async () => {
    const [one, two] = [new Stage({ grace: 2_000 }, false), new Stage({}, false)];
    two.isListening = false;
    two.clock.schedule(() => two.desk.started(), 3_000);
    for (const stage of [one, two]) {
      void stage.attach().desk.shutdown('deploy');
      await stage.clock.advance(5_000);
    }

    expect([one.said[0], two.said[0]]).toEqual(['2000 goodbye', '4000 goodbye']);
  });

  it('a signal shuts down by itself, and says so', async () => {
    const stage = new Stage().attach();
    stage.signals.get('SIGINT')!();
    await stage.clock.advance(1_000);

    expect(stage.actions[0]).toMatchObject({ details: 'SIGINT', by: 'signal' });
    expect(stage.said.at(-1)).toBe('1000 exit 0');
  });

  it('an application that was closed without us listens to no signal any more', () => {
    const stage = new Stage().attach();
    expect(stage.signals.size).toBe(2);
    stage.desk.closed();

    expect(stage.signals.size).toBe(0);
  });
});

describe('what is asked of attach', () => {
  it('without it nothing can be shut down', async () => {
    const { desk, said } = new Stage();
    await expect(desk.shutdown('deploy')).rejects.toMatchObject({
      code: 'RECOVERY_NOT_ATTACHED',
      message: expect.stringContaining('app.get(RecoveryManager).attach(app)') as unknown,
    });
    expect([desk.isAttached, desk.isShuttingDown, said]).toEqual([false, false, []]);
  });

  it('signals and exit are what is asked for', async () => {
    const codes: number[] = [];
    const own = new Stage().attach({ signals: ['SIGUSR2'], exit: (code) => codes.push(code) });
    const none = new Stage().attach({ signals: false, exit: false });
    void own.desk.shutdown('deploy');
    void none.desk.shutdown('deploy');
    await own.clock.advance(1_000);
    await none.clock.advance(1_000);

    expect([[...own.signals.keys()], [...none.signals.keys()]]).toEqual([['SIGUSR2'], []]);
    expect(codes).toEqual([0]);
    expect(none.said.at(-1)).toBe('0 close app');
    expect(none.clock.pending).toBe(0);
  });

  it.each<[string, () => unknown]>([
    ['no application', () => new Stage().desk.attach(undefined as never)],
    ['what cannot be closed', () => new Stage().desk.attach({} as never)],
    ['another application', () => new Stage().attach().desk.attach({ close: async () => {} })],
    ['a signal that is none', () => new Stage().attach({ signals: ['TERM' as never] })],
    ['an exit that is none', () => new Stage().attach({ exit: 0 as never })],
    ['an option that is none', () => new Stage().attach({ grace: 1 } as never)],
  ])('%s is refused', (_, attach) => {
    expect(attach).toThrow(/RecoveryManager.attach/);
  });

  it('one that leaves the process alive listens to no signal when all is over', async () => {
    const stage = new Stage().attach({ exit: false });
    await stage.desk.shutdown('deploy');
    stage.desk.closed();

    expect(stage.signals.size).toBe(0);
  });

  it('a second time with the same application is once', () => {
    const stage = new Stage().attach().attach();
    expect(stage.desk.isAttached).toBe(true);
  });
});

describe('what goes wrong on the way', () => {
  it('a hook that fails is told, and the application closes', async () => {
    const stage = new Stage().attach();
    stage.hooks = [
      {
        name: 'flush',
        from: 'Outbox.flush',
        dependsOn: [],
        run: () => Promise.reject(new Error('x')),
      },
    ];
    await stage.desk.shutdown('deploy');

    expect(stage.log).toContain('error: shutdown hook flush of Outbox.flush failed: x');
    expect(stage.said.at(-1)).toBe('0 close app');
  });

  it('a log of actions that throws keeps nobody from ending', async () => {
    const stage = new Stage().attach();
    stage.record = () => {
      throw new Error('disk');
    };
    await stage.desk.shutdown('deploy');

    expect(stage.log).toContain('error: the action was not noted: disk');
    expect(stage.said.at(-1)).toBe('0 close app');
  });

  it.each<[string, () => Promise<void>, RegExp]>([
    [
      'rejects',
      () => Promise.reject(new Error('token=abcdefghij0123456789')),
      /could not be closed/,
    ],
    [
      'throws',
      () => {
        throw new Error('no');
      },
      /could not be closed: no/,
    ],
    ['never ends', () => new Promise(() => {}), /longer than 30000 ms/],
  ])('an application whose close %s ends with code 1', async (_, closing, words) => {
    const stage = new Stage().attach();
    stage.closing = closing;
    const ended = stage.desk.shutdown('deploy').catch((error: Error) => error);
    await stage.clock.advance(40_000);

    await expect(ended).resolves.toBeInstanceOf(Error);
    expect(stage.said.at(-1)).toMatch(/exit 1$/);
    expect(stage.log.join('\n')).toMatch(words);
    expect(stage.log.join('\n')).not.toContain('abcdefghij0123456789');
  });

  it('a signal that finds it failing ends no process by a rejection', async () => {
    const stage = new Stage().attach();
    stage.closing = () => Promise.reject(new Error('no'));
    stage.signals.get('SIGTERM')!();
    await stage.clock.advance(1_000);

    expect(stage.said.at(-1)).toBe('1000 exit 1');
  });

  it('a reason that is no text, or much of it, is one short line', async () => {
    for (const reason of [`x\n${'y'.repeat(10_000)}`, { toString: 1 }, undefined]) {
      const stage = new Stage().attach();
      await stage.desk.shutdown(reason as string);
      const [line] = stage.log;
      expect(line!.length).toBeLessThanOrEqual(220);
      expect(line).not.toContain('\n');
    }
    await settle();
  });
});
