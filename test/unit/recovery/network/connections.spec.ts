import { AsyncLocalStorage } from 'node:async_hooks';
import { getEventListeners } from 'node:events';
import type {
  ReconnectHook,
  ReconnectOptions,
  ResyncHook,
} from '../../../../lib/recovery/hooks.js';
import {
  Connections,
  type ConnectionsParts,
} from '../../../../lib/recovery/network/connections.js';
import { FakeClock, settle } from '../../../../lib/testing/fake-clock.js';
import { ActionBook } from '../action-book.js';

type Run = (signal: AbortSignal) => unknown;

const connection = (run: Run, options: ReconnectOptions = {}, name = 'peers'): ReconnectHook => ({
  name,
  from: `Node.${name}`,
  options,
  run,
});
const resync = (run: Run, name = 'peers'): ResyncHook => ({ name, from: `Node.sync`, run });

class Net {
  readonly clock = new FakeClock();
  readonly actions = new ActionBook();
  readonly ending = new AbortController();
  readonly desk: Connections;

  constructor(
    readonly reconnects: ReconnectHook[],
    readonly resyncs: ResyncHook[] = [],
    more: Partial<ConnectionsParts> = {},
  ) {
    const { clock, actions, ending } = this;
    this.desk = new Connections({
      hooks: { reconnects, resyncs },
      clock,
      actions,
      ending: ending.signal,
      ...more,
    });
  }

  /** Asks, and lets so much time pass. */
  async ask(by = 0, name?: string): ReturnType<Connections['reconnect']> {
    const report = this.desk.reconnect(name, {});
    report.catch(() => {});
    await this.clock.advance(by);
    return report;
  }
}

/** Fails so many times, then is there. */
function flaky(failures: number): { run: Run; calls: number } {
  const it = {
    calls: 0,
    run: (): void => {
      it.calls += 1;
      if (it.calls <= failures) throw new Error(`no route ${it.calls}`);
    },
  };
  return it;
}

describe('a connection', () => {
  it('is re-established at once', async () => {
    const net = new Net([connection(async () => 'there')]);
    expect(await net.ask()).toEqual({
      reconnected: true,
      connections: [{ name: 'peers', outcome: 'connected', attempts: 1 }],
      isDegraded: false,
    });
    expect(net.actions.lines).toEqual([
      'network_partition|success|code|peers: back after 1 attempt',
    ]);
    expect([net.desk.partitions, net.clock.pending]).toEqual([[], 0]);
  });

  it('is tried again after delays that double, and everybody hears how often', async () => {
    const times: number[] = [];
    const peers = flaky(3);
    const run: Run = (signal) => {
      times.push(net.clock.now());
      return peers.run(signal);
    };
    const net = new Net([connection(run, { attempts: 5, delay: 100 })]);
    const report = await net.ask(700);
    expect(times.map((at) => at - times[0]!)).toEqual([0, 100, 300, 700]);
    expect(report.connections).toEqual([{ name: 'peers', outcome: 'connected', attempts: 4 }]);
    expect(net.actions.lines).toEqual([
      'network_partition|success|code|peers: back after 4 attempts',
    ]);
  });

  it('by default three times, a second and two apart', async () => {
    const peers = flaky(9);
    const net = new Net([connection(peers.run, { retryEvery: false })]);
    const asked = net.desk.reconnect(undefined, {});
    for (const [by, calls] of [
      [999, 1],
      [1, 2],
      [1_999, 2],
      [1, 3],
    ] as const) {
      // prettier-ignore
      await net.clock.advance(by);
      expect(peers.calls).toBe(calls);
    }
    expect((await asked).connections[0]).toMatchObject({ outcome: 'failed', attempts: 3 });
  });

  it('of very many attempts waits no longer than a timer can', async () => {
    const peers = flaky(100);
    const options = { attempts: 100, delay: 0, retryEvery: false } as const;
    const net = new Net([connection(peers.run, options)]);
    expect((await net.ask(0)).connections[0]!.attempts).toBe(100);
    expect(peers.calls).toBe(100);
  });

  it.each<[string, Run, string]>([
    ['throws', () => { throw new Error('no route'); }, 'Error: no route'], // prettier-ignore
    ['rejects', () => Promise.reject(new Error('no route')), 'Error: no route'],
    ['throws no error', () => { throw null; }, 'null'], // prettier-ignore
    ['answers false', async () => false, 'answered false'],
    ['hangs', () => new Promise(() => {}), 'took longer than 10000 ms'],
    // oxlint-disable-next-line unicorn/no-thenable -- a hostile one
    ['answers what throws', () => ({ get then() { throw new Error('boo'); } }), 'Error: boo'], // prettier-ignore
    ['tells a secret', () => { throw new Error('postgres://me:hunter2secret@db'); }, 'Error: postgres://'], // prettier-ignore
  ])('that %s is cut: the application goes on without it', async (_, run, error) => {
    const net = new Net([connection(run, { attempts: 1 })]);
    const report = await net.ask(10_000);
    expect(report).toMatchObject({ reconnected: false, isDegraded: true });
    expect(report.connections[0]).toMatchObject({ outcome: 'failed', attempts: 1 });
    expect(report.connections[0]!.error).toContain(error);
    expect(net.desk.partitions).toEqual(['peers']);
    expect(net.actions.lines).toHaveLength(1);
    expect(net.actions.lines[0]).toContain(
      `network_partition|failed|code|peers: 1 attempt failed, the last one: ${error}`,
    );
    expect(JSON.stringify([report, net.actions.lines])).not.toContain('hunter2secret');
  });

  it('tells an attempt that nobody waits for it any more, and takes no late answer', async () => {
    const reasons: string[] = [];
    let late = (): void => {};
    const run: Run = (signal) => {
      signal.addEventListener('abort', () => reasons.push((signal.reason as Error).message));
      return new Promise<void>((resolve) => (late = resolve));
    };
    const net = new Net([connection(run, { attempts: 1, timeout: 50, retryEvery: false })]);
    expect((await net.ask(50)).reconnected).toBe(false);
    late();
    await settle();
    expect([reasons, net.desk.partitions]).toEqual([['took longer than 50 ms'], ['peers']]);
  });
});

describe('#156 reconnecting takes a registered name only, one at a time', () => {
  it('10 calls in a second are one reconnect', async () => {
    const peers = flaky(0);
    const slow: Run = async (signal) => {
      await new Promise<void>((resolve) => net.clock.schedule(resolve, 300));
      return peers.run(signal);
    };
    const net = new Net([connection(slow)]);
    const asked = [];
    for (let i = 0; i < 10; i += 1) {
      asked.push(net.desk.reconnect('peers', {}));
      await net.clock.advance(100);
    }
    const reports = await Promise.all(asked);
    expect(peers.calls).toBe(1);
    expect(reports.every(({ reconnected }) => reconnected)).toBe(true);
    expect(reports.map(({ connections }) => connections[0]!.outcome)).toEqual([
      ...['connected', 'connected', 'connected'],
      ...Array.from({ length: 7 }, () => 'cooling-down'),
    ]);
    expect(net.actions.lines).toHaveLength(1);
  });

  it('within 5 s of the last attempt its answer counts, a bad one too', async () => {
    const peers = flaky(1);
    const net = new Net([connection(peers.run, { attempts: 1, retryEvery: false })]);
    await net.ask();
    expect(await net.ask(4_999)).toEqual({
      reconnected: false,
      connections: [
        { name: 'peers', outcome: 'cooling-down', attempts: 0, error: 'Error: no route 1' },
      ],
      isDegraded: true,
    });
    expect(peers.calls).toBe(1);
    await net.clock.advance(1);
    expect((await net.ask()).reconnected).toBe(true);
    expect((await net.ask()).connections).toEqual([
      { name: 'peers', outcome: 'cooling-down', attempts: 0 },
    ]);
    expect(peers.calls).toBe(2);
  });

  it.each(['database', '__proto__', 'constructor', '', 'peers\n', 'http://10.0.0.1'])(
    'the name %j is unknown, and stays so',
    async (name) => {
      const net = new Net([connection(() => {})]);
      for (const _ of [1, 2])
        await expect(net.desk.reconnect(name, {})).rejects.toMatchObject({
          code: 'RECOVERY_UNKNOWN',
          status: 404,
          message: `there is no connection ${JSON.stringify(name)}, no @Reconnect has that name`,
        });
      expect([net.desk.names, net.desk.partitions]).toEqual([['peers'], []]);
    },
  );

  it('without a name all are tried, each for itself', async () => {
    const [peers, bank] = [flaky(9), flaky(0)];
    const net = new Net([
      connection(peers.run, { attempts: 1 }),
      connection(bank.run, {}, 'bank'),
      connection(() => {}, {}, '__proto__'),
    ]);
    const report = await net.ask();
    expect(report.connections.map(({ name, outcome }) => [name, outcome])).toEqual([
      ['peers', 'failed'],
      ['bank', 'connected'],
      ['__proto__', 'connected'],
    ]);
    expect([report.reconnected, report.isDegraded]).toEqual([false, true]);
    expect(net.desk.partitions).toEqual(['peers']);
    expect(await net.ask(0, 'bank')).toMatchObject({ reconnected: true, isDegraded: false });
  });

  it('without any connection there is nothing to do, until a module with one is loaded', async () => {
    const net = new Net([]);
    expect(await net.ask()).toEqual({ reconnected: true, connections: [], isDegraded: false });
    net.reconnects.push(connection(() => {}));
    expect((await net.ask()).connections).toHaveLength(1);
    expect(net.desk.names).toEqual(['peers']);
  });
});

describe('while a connection is cut', () => {
  const cut = async (
    failures: number,
    options: ReconnectOptions = {},
    syncs: ResyncHook[] = [],
  ) => {
    const peers = flaky(failures);
    const net = new Net([connection(peers.run, { attempts: 1, ...options })], syncs);
    await net.ask();
    return { peers, net };
  };

  it('it is tried every 30 s by itself, until it is back; both are noted, and nothing between', async () => {
    const { peers, net } = await cut(4);
    for (const calls of [2, 3, 4]) {
      await net.clock.advance(29_999);
      expect(peers.calls).toBe(calls - 1);
      await net.clock.advance(1);
      expect(peers.calls).toBe(calls);
      expect(net.desk.partitions).toEqual(['peers']);
    }
    await net.clock.advance(30_000);
    expect([net.desk.partitions, net.clock.pending]).toEqual([[], 0]);
    expect(net.actions.lines).toEqual([
      'network_partition|failed|code|peers: 1 attempt failed, the last one: Error: no route 1; the application goes on without it',
      'network_partition|success|schedule|peers: back after 1 attempt',
    ]);
    await net.clock.advance(300_000);
    expect(peers.calls).toBe(5);
  });

  it('whoever asks begins the interval anew, and there is one timer', async () => {
    const { peers, net } = await cut(9);
    await net.clock.advance(20_000);
    await net.ask();
    expect([peers.calls, net.clock.pending]).toEqual([2, 1]);
    await net.clock.advance(29_999);
    expect(peers.calls).toBe(2);
    await net.clock.advance(1);
    expect(peers.calls).toBe(3);
  });

  it('not more often than the cool-down allows', async () => {
    const { peers, net } = await cut(9, { retryEvery: 100, coolDown: 1_000 });
    await net.clock.advance(999);
    expect(peers.calls).toBe(1);
    await net.clock.advance(1);
    expect(peers.calls).toBe(2);
  });

  it('nothing goes on by itself with retryEvery: false', async () => {
    const { net } = await cut(9, { retryEvery: false });
    expect([net.clock.pending, net.desk.partitions]).toEqual([0, ['peers']]);
  });

  it('an effort of its own is joined by whoever asks meanwhile', async () => {
    let finish = (): void => {};
    let calls = 0;
    const run: Run = () => {
      calls += 1;
      return calls === 1 ? false : new Promise<void>((resolve) => (finish = resolve));
    };
    const net = new Net([connection(run, { attempts: 1 })]);
    await net.ask();
    await net.clock.advance(30_000);
    const asked = net.desk.reconnect('peers', {});
    finish();
    expect((await asked).connections[0]).toMatchObject({ outcome: 'connected', attempts: 1 });
    expect(calls).toBe(2);
  });

  it('by itself it is tried, and caught up with, outside the request of whoever asked before', async () => {
    const request = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const peers = flaky(2);
    const run: Run = (signal) => {
      seen.push(request.getStore());
      return peers.run(signal);
    };
    const net = new Net(
      [connection(run, { attempts: 1 })],
      [resync(() => void seen.push(request.getStore()))],
    );
    await request.run('request', () => net.ask());
    await request.run('another', () => net.clock.advance(60_000));
    expect([seen, net.desk.partitions]).toEqual([['request', undefined, undefined, undefined], []]);
  });

  it('only timers that hold no process wait by themselves', async () => {
    const background = new FakeClock();
    const peers = flaky(9);
    const net = new Net([connection(peers.run, { attempts: 2 })], [], {
      background: (task, delay) => background.schedule(task, delay),
    });
    await net.ask(1_000);
    expect([net.clock.pending, background.pending]).toEqual([0, 1]);
    await background.advance(30_000);
    expect([peers.calls, net.clock.pending, background.pending]).toEqual([3, 0, 1]);
  });
});

describe('when a connection is back', () => {
  it('its hooks catch up, those of others do not, and only then it counts as back', async () => {
    const order: string[] = [];
    let finish = (): void => {};
    const net = new Net(
      [connection(flaky(1).run, { attempts: 1 })],
      [
        resync(
          () => new Promise<void>((resolve) => (finish = () => (order.push('one'), resolve()))),
        ),
        resync(() => void order.push('two')),
        resync(() => void order.push('other'), 'bank'),
      ],
    );
    await net.ask();
    expect(order).toEqual([]);
    await net.clock.advance(30_000);
    expect(net.desk.partitions).toEqual(['peers']);
    finish();
    await settle();
    expect([order, net.desk.partitions]).toEqual([['one', 'two'], []]);
  });

  it('also where it was never known to be cut', async () => {
    let syncs = 0;
    const net = new Net([connection(() => {})], [resync(() => void (syncs += 1))]);
    await net.ask();
    expect(syncs).toBe(1);
  });

  it('and somebody cannot catch up, that is tried again, and the connection is left in peace', async () => {
    const sync = flaky(2);
    const peers = flaky(0);
    let others = 0;
    const net = new Net(
      [connection(peers.run)],
      [resync(sync.run), resync(() => void (others += 1))],
    );
    expect(await net.ask()).toEqual({
      reconnected: true,
      connections: [
        {
          name: 'peers',
          outcome: 'connected',
          attempts: 1,
          error: 'it is back, but could not catch up: Node.sync: Error: no route 1',
        },
      ],
      isDegraded: true,
    });
    expect(net.desk.partitions).toEqual(['peers']);
    await net.clock.advance(60_000);
    expect([sync.calls, others, peers.calls, net.desk.partitions]).toEqual([3, 3, 1, []]);
    expect(net.actions.lines).toEqual([
      'network_partition|failed|code|peers: it is back, but could not catch up: Node.sync: Error: no route 1',
      'network_partition|success|schedule|peers: has caught up',
    ]);
  });

  it('a hook that hangs is given up', async () => {
    const net = new Net([connection(() => {})], [resync(() => new Promise(() => {}))]);
    const report = await net.ask(10_000);
    expect(report.connections[0]!.error).toContain('Node.sync: took longer than 10000 ms');
  });
});

describe('whoever has asked', () => {
  it('may leave; the effort goes on for the others', async () => {
    let finish = (): void => {};
    let calls = 0;
    const run: Run = () => new Promise<void>((resolve) => ((calls += 1), (finish = resolve)));
    const net = new Net([connection(run)]);
    const leaver = new AbortController();
    const [left, stays] = [
      net.desk.reconnect('peers', { signal: leaver.signal }),
      net.desk.reconnect('peers', {}),
    ];
    leaver.abort();
    await expect(left).rejects.toMatchObject({ code: 'RECOVERY_ABORTED' });
    expect(getEventListeners(leaver.signal, 'abort')).toEqual([]);
    finish();
    expect((await stays).reconnected).toBe(true);
    expect(calls).toBe(1);
  });

  it('and has left before, has nothing done', async () => {
    const peers = flaky(0);
    const net = new Net([connection(peers.run)]);
    const asked = net.desk.reconnect('peers', { signal: AbortSignal.abort() });
    await expect(asked).rejects.toMatchObject({ code: 'RECOVERY_ABORTED' });
    expect(peers.calls).toBe(0);
  });

  it('is named in the actions', async () => {
    const net = new Net([connection(() => {})]);
    await net.desk.reconnect('peers', { by: 'token:ops' });
    expect(net.actions.lines[0]).toContain('|token:ops|');
  });
});

describe('when the application ends', () => {
  it('attempts, delays and what goes on by itself end with it, and nothing new begins', async () => {
    const peers = flaky(9);
    let aborted = false;
    const hung: Run = (signal) => {
      signal.addEventListener('abort', () => (aborted = true));
      return new Promise(() => {});
    };
    const net = new Net([
      connection(peers.run, { attempts: 1 }),
      connection(flaky(9).run, {}, 'delayed'),
      connection(hung, {}, 'hung'),
    ]);
    await net.ask(0, 'peers');
    const asked = [net.desk.reconnect('delayed', {}), net.desk.reconnect('hung', {})];
    await settle();
    net.ending.abort();
    const reports = await Promise.all(asked);
    expect(reports.map(({ connections }) => connections[0]!.outcome)).toEqual(['failed', 'failed']);
    expect([aborted, net.clock.pending]).toEqual([true, 0]);
    await net.clock.advance(300_000);
    expect([peers.calls, net.actions.lines.length]).toEqual([1, 1]);
    await expect(net.desk.reconnect('peers', {})).rejects.toMatchObject({
      code: 'RECOVERY_SHUTTING_DOWN',
    });
  });
});

it('a log of actions that throws harms nobody', async () => {
  const actions = { record: (): never => { throw new Error('no disk'); } }; // prettier-ignore
  const net = new Net([connection(flaky(1).run, { attempts: 1 })], [], { actions });
  expect((await net.ask()).reconnected).toBe(false);
  await net.clock.advance(30_000);
  expect(net.desk.partitions).toEqual([]);
});
