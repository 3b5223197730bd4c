import { makeClassifier } from '../../../../lib/errors/classifier/classifier.js';
import type { ErrorContext } from '../../../../lib/errors/error-context.js';
import { factsOf } from '../../../../lib/errors/record/facts.js';
import type { RecordOptions } from '../../../../lib/errors/resilience-errors.js';
import type { ErrorCategory } from '../../../../lib/kernel/classifier.js';
import type { RemedyHook } from '../../../../lib/recovery/hooks.js';
import type {
  ErrorRecovery,
  PartitionReport,
  RecoveryContext,
} from '../../../../lib/recovery/recovery-report.js';
import { ErrorRecoveryDesk } from '../../../../lib/recovery/remedies/error-recovery.js';
import { FakeClock } from '../../../../lib/testing/fake-clock.js';
import { seededRandom } from '../../../../lib/testing/seeded-random.js';
import { ActionBook } from '../action-book.js';

const classifier = makeClassifier({});

const coded = (code: string): Error => Object.assign(new Error(`it is ${code}`), { code });
const REFUSED = 'ECONNREFUSED';
/** An error of each category, by what the default table says. */
const OF: { readonly [C in ErrorCategory]?: unknown } = {
  transient: new Error('hiccup'),
  communication: coded(REFUSED),
  resource: Object.assign(new Error('busy'), { status: 429 }),
  timeout: coded('ETIMEDOUT'),
  validation: Object.assign(new Error('bad'), { status: 400 }),
  permanent: new TypeError('x is not a function'),
};

const remedy = (
  category: ErrorCategory,
  run: (error: ErrorContext) => unknown = () => {},
  from = 'QuoteCache.clear',
): RemedyHook => ({ category, from, run });

class World {
  readonly clock = new FakeClock();
  readonly actions = new ActionBook();
  readonly ending = new AbortController();
  readonly recorded: RecordOptions[] = [];
  readonly asked: (string | undefined)[] = [];
  names: string[] = [];
  network: () => Promise<PartitionReport> = async () => ({
    reconnected: true,
    connections: this.names.map((name) => ({ name, outcome: 'connected', attempts: 1 })),
    isDegraded: false,
  });
  readonly desk: ErrorRecoveryDesk;

  constructor(
    readonly remedies: RemedyHook[] = [],
    random = seededRandom(7),
  ) {
    const { clock, actions, ending } = this;
    this.desk = new ErrorRecoveryDesk({
      hooks: { remedies },
      errors: { record: (error, options) => this.record(error, options) },
      classifier,
      network: Object.defineProperty(
        {
          names: this.names,
          reconnect: (name: string | undefined) => {
            this.asked.push(name);
            return this.network();
          },
        },
        'names',
        { get: () => this.names },
      ),
      actions,
      clock,
      random,
      ending: ending.signal,
    });
  }

  /** Recovers, and lets so much time pass. */
  async recover(
    error: unknown,
    more: Partial<RecoveryContext> = {},
    by = 120_000,
  ): Promise<ErrorRecovery> {
    const recovery = this.desk.recover(error, { serviceId: 'payments', ...more });
    recovery.catch(() => {});
    await this.clock.advance(by);
    return recovery;
  }

  private record(error: unknown, options: RecordOptions): ErrorContext {
    this.recorded.push(options);
    const { category } = classifier.classify(error);
    return {
      id: `e${this.recorded.length}`,
      fingerprint: 'v1:0',
      severity: 'medium',
      category,
      rule: 'test',
      component: options.component,
      method: 'pay',
      error: factsOf(error),
      occurrences: 1,
      firstOccurrence: 0,
      lastOccurrence: 0,
      recoveryAttempts: 0,
    };
  }
}

const failing = (error: unknown, then: unknown = 'done', failures = Infinity) => {
  const it = {
    calls: 0,
    run: async (): Promise<unknown> => {
      it.calls += 1;
      if (it.calls <= failures) throw error;
      return then;
    },
  };
  return it;
};

describe('recovery from an error', () => {
  it('does the work again, after its remedies, and answers what came of it', async () => {
    const order: unknown[] = [];
    const error = coded('ENOMEM');
    const { category } = classifier.classify(error);
    const world = new World([
      remedy(category, ({ id, component }) => void order.push(['clear', id, component])),
      remedy('validation', () => void order.push('not me')),
      remedy(category, async () => void order.push('shrink'), 'Pool.shrink'),
    ]);
    const recovery = await world.recover(error, {
      operation: 'pay',
      retry: () => {
        order.push('retry');
        return 42;
      },
    });
    expect(recovery).toEqual({
      recovery_status: 'success',
      category,
      severity: 'medium',
      error_id: 'e1',
      strategy: ['remedy:QuoteCache.clear', 'remedy:Pool.shrink', 'retry'],
      attempts: 1,
      result: 42,
    });
    expect(order).toEqual([['clear', 'e1', 'payments.pay'], 'shrink', 'retry']);
    expect(world.recorded).toEqual([{ component: 'payments.pay' }]);
    expect(world.actions.lines).toEqual([
      `error_recovery|success|-|payments.pay, ${category}: remedy:QuoteCache.clear, remedy:Pool.shrink, retry (error e1)`,
    ]);
    expect(world.clock.pending).toBe(0);
  });

  it.each<[ErrorCategory, number]>([
    ['transient', 2],
    ['communication', 2],
    ['timeout', 2],
    ['resource', 5],
    ['validation', 0],
    ['permanent', 0],
  ])(
    'of category %s does the work again %i times, as the table of retries says',
    async (category, times) => {
      const error = OF[category];
      expect(classifier.classify(error).category).toBe(category);
      const work = failing(error);
      const recovery = await new World().recover(error, { retry: work.run });
      expect(recovery).toMatchObject({
        recovery_status: 'failed',
        category,
        attempts: times,
        error,
      });
      expect([work.calls, recovery.strategy]).toEqual([times, times === 0 ? [] : ['retry']]);
      expect(recovery).not.toHaveProperty('result');
    },
  );

  it('waits between attempts as the table says, with dice', async () => {
    const world = new World([], () => 0.999999);
    const times: number[] = [];
    const start = world.clock.now();
    await world.recover(OF.timeout, {
      retry: () => {
        times.push(world.clock.now() - start);
        throw OF.timeout;
      },
    });
    expect(times).toEqual([1_000, 3_000]);
  });

  it('waits as long as it is asked to', async () => {
    const world = new World([], () => 0);
    const error = Object.assign(new Error('busy'), {
      status: 429,
      headers: { 'retry-after': '7' },
    });
    const work = failing(error, 'done', 1);
    const recovery = world.desk.recover(error, { serviceId: 'a', retry: work.run });
    await world.clock.advance(6_999);
    expect(work.calls).toBe(0);
    await world.clock.advance(7_001);
    expect(await recovery).toMatchObject({ recovery_status: 'success', attempts: 2 });
  });

  it('goes by the last error: what turns out permanent is not tried again', async () => {
    const work = failing(OF.permanent);
    const recovery = await new World().recover(OF.transient, { retry: work.run });
    expect(recovery).toMatchObject({
      recovery_status: 'failed',
      category: 'transient',
      attempts: 1,
    });
    expect(recovery.error).toBe(OF.permanent);
  });

  it('that nobody can do again succeeds by a remedy, even if another fails', async () => {
    const world = new World([
      remedy('resource', () => { throw new Error('no cache'); }, 'A.clear'), // prettier-ignore
      remedy('resource', () => true, 'B.clear'),
    ]);
    const recovery = await world.recover(OF.resource);
    expect(recovery).toMatchObject({ recovery_status: 'success', attempts: 0 });
    expect(recovery).not.toHaveProperty('error');
    expect(world.actions.lines).toEqual([
      'error_recovery|failed|-|remedy A.clear: for resource: Error: no cache (error e1)',
      'error_recovery|success|-|payments, resource: remedy:A.clear, remedy:B.clear (error e1)',
    ]);
  });

  it('with work that is not worth doing again fails, whatever was healed', async () => {
    const work = failing(undefined, 'done', 0);
    const recovery = await new World([remedy('validation')]).recover(OF.validation, {
      retry: work.run,
    });
    expect(recovery).toMatchObject({ recovery_status: 'failed', error: OF.validation });
    expect(work.calls).toBe(0);
  });

  it.each<[string, () => unknown, string]>([
    ['throws', () => { throw new Error('no'); }, 'Error: no'], // prettier-ignore
    ['rejects', () => Promise.reject(undefined), 'undefined'], // oxlint-disable-line prefer-promise-reject-errors
    ['answers false', async () => false, 'answered false'],
    ['hangs', () => new Promise(() => {}), 'took longer than 10000 ms'],
    ['tells a secret', () => { throw new Error('password=hunter2secret'); }, 'password='], // prettier-ignore
  ])('fails where the only remedy %s', async (_, run, problem) => {
    const world = new World([remedy('resource', run)]);
    const recovery = await world.recover(OF.resource, {}, 10_000);
    expect(recovery).toMatchObject({ recovery_status: 'failed', error: OF.resource });
    expect(world.actions.lines[0]).toContain(problem);
    expect(world.actions.lines.join('\n')).not.toContain('hunter2secret');
  });

  it('without anything that could be done fails, and says so', async () => {
    const world = new World();
    expect(await world.recover(OF.transient)).toMatchObject({
      recovery_status: 'failed',
      strategy: [],
    });
    expect(world.actions.lines).toEqual([
      'error_recovery|failed|-|payments, transient: nothing could be done (error e1)',
    ]);
  });

  it.each([undefined, null, 'text', 0])('also where %p was thrown', async (thrown) => {
    const recovery = await new World().recover(thrown);
    expect(recovery.recovery_status).toBe('failed');
    expect(recovery.error).toBe(thrown);
  });

  it('in a storm is noted once a minute, and then how often', async () => {
    const world = new World();
    for (let i = 0; i < 1_000; i += 1) await world.recover(OF.transient, {}, 0);
    expect(world.actions.lines).toHaveLength(1);
    await world.recover(OF.transient, {}, 60_000);
    await world.recover(OF.transient, {}, 0);
    expect(world.actions.lines).toHaveLength(2);
    expect(world.actions.lines[1]).toBe(
      'error_recovery|failed|-|payments, transient: nothing could be done (error e1002) (and 1000 more since the last of these)',
    );
  });
});

describe('connections', () => {
  it.each<[ErrorCategory, boolean]>([
    ['communication', true],
    ['transient', false],
    ['timeout', false],
    ['validation', false],
  ])('of category %s: got back %p', async (category, isAsked) => {
    const world = new World();
    world.names = ['database', 'peers'];
    const recovery = await world.recover(OF[category]);
    expect(world.asked).toEqual(isAsked ? [undefined] : []);
    expect(recovery.strategy).toEqual(isAsked ? ['reconnect:database', 'reconnect:peers'] : []);
    expect(recovery.recovery_status).toBe(isAsked ? 'success' : 'failed');
  });

  it('where one is called as the service is, that one alone', async () => {
    const world = new World();
    world.names = ['database', 'payments'];
    await world.recover(OF.communication, { operation: 'pay' });
    expect(world.asked).toEqual(['payments']);
  });

  it('are got back after the remedies and before the work, which decides', async () => {
    const order: string[] = [];
    const world = new World([remedy('communication', () => void order.push('remedy'))]);
    world.names = ['peers'];
    const reconnect = world.network;
    world.network = () => (order.push('reconnect'), reconnect());
    const work = failing(OF.communication);
    const retry = (): unknown => (order.push('retry'), work.run());
    const recovery = await world.recover(OF.communication, { retry });
    expect(order).toEqual(['remedy', 'reconnect', 'retry', 'retry']);
    expect(recovery.recovery_status).toBe('failed');
  });

  it('that stay cut, or cannot be asked for, heal nothing', async () => {
    for (const network of [
      async (): Promise<PartitionReport> => ({
        reconnected: false,
        connections: [
          { name: 'peers', outcome: 'failed', attempts: 3, error: 'x' },
          { name: 'bank', outcome: 'cooling-down', attempts: 0 },
        ],
        isDegraded: true,
      }),
      () => Promise.reject(new Error('the application ends')),
    ]) {
      const world = new World();
      world.names = ['peers', 'bank'];
      world.network = network;
      const { recovery_status, strategy } = await world.recover(OF.communication);
      expect(recovery_status).toBe('failed');
      expect(strategy.every((step) => step === 'reconnect:peers')).toBe(true);
    }
  });
});

describe('when the application ends', () => {
  it('delays end, and nothing is begun any more', async () => {
    const world = new World([remedy('timeout'), remedy('timeout')], () => 0.5);
    const work = failing(OF.timeout);
    const recovery = world.desk.recover(OF.timeout, { serviceId: 'a', retry: work.run });
    await world.clock.advance(10);
    world.ending.abort();
    expect(await recovery).toMatchObject({ recovery_status: 'failed', attempts: 0 });
    expect([work.calls, world.clock.pending]).toEqual([0, 0]);

    world.names = ['peers'];
    const late = await world.recover(OF.communication, { retry: work.run }, 0);
    expect(late).toMatchObject({ recovery_status: 'failed', strategy: [] });
  });
});

describe('a context that is none', () => {
  it.each<[unknown, string]>([
    [undefined, 'context: got undefined, expected an object with a serviceId'],
    [null, 'context: got null'],
    ['payments', 'context: got "payments"'],
    [[], 'context: got an array of 0'],
    [{}, 'context serviceId: got undefined, expected a string that is not empty'],
    [{ serviceId: '' }, 'context serviceId: got ""'],
    [{ serviceId: 'a', operation: 5 }, 'context operation: got 5'],
    [{ serviceId: 'a', retry: true }, 'context retry: got true, expected a function'],
    [{ serviceId: 'a', retry: null }, 'context retry: got null, expected a function'],
  ])('%j is a TypeError, and nothing is done', async (context, message) => {
    const world = new World([remedy('transient')]);
    const recovery = world.desk.recover(new Error('x'), context as never);
    await expect(recovery).rejects.toThrow(TypeError);
    await expect(recovery).rejects.toThrow(message);
    expect(world.recorded).toEqual([]);
  });
});
