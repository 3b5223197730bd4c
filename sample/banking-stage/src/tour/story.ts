import type { Statistics } from '../banking/statistics.js';
import { poll } from '../client/poll.js';
import { RpcClient } from '../client/rpc.client.js';
import { signPayment } from '../transaction/transaction.js';
import { OUTAGES } from '../upstream/dials.js';
import { audit } from './audit.js';
import { badInputs, refusalOf } from './bad-input.js';
import { Books, percentile, type Phase, type Sent } from './books.js';
import { HealthWatch } from './health-watch.js';
import { Crashes } from './crashes.js';
import { chapter, say } from './narrator.js';
import type { TrafficPlan } from './plan.js';
import { atLeast, atMost, exactly, type Row } from './report.js';
import type { Stage } from './stage.js';
import { Traffic } from './traffic.js';

/** Long enough for a slow machine; a wait that takes this long has failed. */
const PATIENCE_MS = 30_000;
/** Too large to be accepted without having asked compliance. */
const LARGE = 50_000;

/** Those with a scene of their own, and what they own. */
export const EXTRAS = { racer: 1_000, poor: 100, rich: 1_000_000, blocked: 1_000 } as const;

/** The story, chapter by chapter; each adds to the table what it has seen. */
export class Story {
  readonly rows: Row[] = [];
  private readonly books = new Books();
  private readonly rpc: RpcClient;
  private readonly watch: HealthWatch;
  private readonly traffic: Traffic;

  constructor(
    private readonly plan: TrafficPlan,
    private readonly stage: Stage,
  ) {
    const url = (): string => stage.nodeUrl;
    this.rpc = new RpcClient(url);
    this.watch = new HealthWatch(url);
    this.watch.follow(stage.node);
    const open = (): boolean => this.watch.breaker === 'open';
    this.traffic = new Traffic(plan, this.rpc, this.books, open);
  }

  async tell(): Promise<void> {
    await this.calm();
    await this.badInput();
    await this.transientFaults();
    await this.outage();
    await this.recovery();
    await this.crashes();
    await this.reckoning();
  }

  private async calm(): Promise<void> {
    chapter('Calm: clients pay each other');
    this.watch.start();
    this.traffic.start();
    await this.acknowledged('calm', 200);
  }

  private async badInput(): Promise<void> {
    chapter('Bad input, amid the traffic');
    const [accepted] = this.books.acknowledged();
    if (!accepted) throw new Error('nothing was accepted');
    const inputs = badInputs(this.plan, accepted.transaction);
    let refused = 0;
    for (const { what, reason, body } of inputs) {
      const answer = await refusalOf(this.rpc, body);
      if (answer === reason) refused++;
      say(`${what}: ${answer}${answer === reason ? '' : `, not ${reason} as it should be`}`);
    }
    this.rows.push(exactly('bad input refused for its reason', inputs.length, refused));

    const twice = await Promise.all([1, 2].map((nonce) => this.pay('racer', 600, nonce)));
    const answers = twice.map(outcomeOf).toSorted().join(', ');
    say(`600 of 1,000 spent twice at one moment: ${answers}`);
    this.rows.push(exactly('double spend', 'accepted, insufficient-funds', answers));
  }

  private async transientFaults(): Promise<void> {
    chapter('Transient faults: one upstream call in eight fails');
    await this.stage.turn({ errorRate: 0.125, latencyMs: 15 });
    this.traffic.phase = 'transient';
    await this.acknowledged('transient', 1_000);
    await this.stage.turn({ errorRate: 0, latencyMs: 5 });
  }

  private async outage(): Promise<void> {
    chapter('Outage: the upstream is away, in each way there is');
    this.traffic.phase = 'outage';
    for (const outage of this.plan.shuffled(OUTAGES.filter((way) => way !== 'none'))) {
      const trips = this.trips();
      say(`upstream: ${outage}`);
      await this.stage.turn({ outage });
      // From the second on, this is a probe that fails and opens the breaker again.
      await this.until('the breaker to open', () => this.trips() > trips);
    }
    await this.until('/health to be degraded', () => this.watch.now?.status === 'degraded');
    await this.acknowledged('outage', 300);

    const large = outcomeOf(await this.pay('rich', LARGE, 1));
    say(`a payment of ${LARGE}, too large for a provisional quote: ${large}`);
    this.rows.push(exactly('large payment in the outage', 'compliance-unavailable', large));
  }

  private async recovery(): Promise<void> {
    chapter('Recovery: the upstream is back');
    const moves = this.watch.moves.length;
    const start = performance.now();
    await this.stage.turn({ outage: 'none' });
    await this.until('the breaker to close', () => this.watch.breaker === 'closed');
    await this.until('/health to be ok', () => this.watch.now?.status === 'ok');
    const seconds = (performance.now() - start) / 1_000;
    say(`recovered in ${seconds.toFixed(1)} s`);

    const path = this.watch.moves.slice(moves).map(({ to }) => to);
    this.rows.push(
      { ...atMost('recovery time', 60, seconds, ' s'), must: '< 60 s', ok: seconds < 60 },
      exactly('breaker ends', 'half-open, closed', path.slice(-2).join(', ')),
    );
    const large = outcomeOf(await this.pay('rich', LARGE, 1));
    say(`the payment of ${LARGE} again: ${large}`);
    this.rows.push(exactly('large payment after it', 'accepted', large));
  }

  private async crashes(): Promise<void> {
    const { plan, stage, books, rpc, watch, traffic } = this;
    this.rows.push(...(await new Crashes({ plan, stage, books, rpc, watch, traffic }).tell()));
  }

  /** Only when the traffic has stopped: a transaction still on its way is neither yes nor no. */
  private rowsOfTraffic(): Row[] {
    const whileOpen = this.books.sentIn('outage').filter((sent) => sent.whileOpen && sent.receipt);
    const times = whileOpen.map(({ ms = Infinity }) => ms);
    const p95 = Math.ceil(percentile(times, 0.95));
    say(`${whileOpen.length} accepted while the breaker was open, p95 ${p95} ms`);
    return [
      atLeast('availability, transient faults', 99.9, this.books.availability('transient'), ' %'),
      atLeast('availability, outage', 99.9, this.books.availability('outage'), ' %'),
      atLeast('accepted while the breaker was open', 100, whileOpen.length),
      atMost('... 95 of 100 within', 250, p95, ' ms'),
    ];
  }

  private rowsOfHealth(): Row[] {
    const { seen, now } = this.watch;
    const degraded = new Set(
      seen.filter((one) => one.status === 'degraded').map((one) => one.http),
    );
    const notReady = seen.filter(({ ready }) => ready !== 200).length;
    return [
      exactly('/health answers while degraded', 'HTTP 200', `HTTP ${[...degraded].join(', ')}`),
      exactly('/health/ready answers other than 200', 0, notReady),
      exactly('final health', 'ok, HTTP 200', `${now?.status}, HTTP ${now?.http}`),
    ];
  }

  private async reckoning(): Promise<void> {
    chapter('Reckoning: the chain, transaction by transaction');
    this.traffic.phase = 'after';
    await this.acknowledged('after', 150);
    await this.traffic.stop();
    await poll('an empty mempool', PATIENCE_MS, async () => {
      const { pending } = await this.rpc.call<{ pending: number }>('getHealth');
      return pending === 0 ? true : undefined;
    });
    await this.watch.stop();
    // Not amid the traffic: it holds the node's loop for so long that calls would time out.
    const problems = await this.stage.examine();
    for (const problem of problems) say(problem);

    const acknowledged = this.books.acknowledged().length;
    const found = await audit(this.rpc, this.books, this.plan.allocations(EXTRAS));
    say(`${found.blocks} blocks with ${found.entries} transactions, ${acknowledged} acknowledged`);
    const { accepted, executed } = await this.rpc.call<Statistics>('getStatistics');
    for (const { check, at, problem } of found.issues) say(`${check}: ${at}: ${problem}`);
    this.rows.push(
      ...this.rowsOfTraffic(),
      ...this.rowsOfHealth(),
      atLeast('acknowledged in spite of kill -9', 99, this.books.availability('crash'), ' %'),
      exactly('data loss (acknowledged, not in the chain)', 0, found.lost.length),
      exactly('double entries', 0, found.doubled.length),
      exactly('entries that nobody sent', 0, found.foreign.length),
      exactly(
        'accepted, executed: by its own count',
        `${found.entries}, ${found.entries}`,
        `${accepted}, ${executed}`,
      ),
      exactly('problems that it finds with itself', 0, problems.length),
      exactly('integrity issues', 0, found.issues.length),
      exactly('balances that differ from the chain', 0, found.wrongBalances.length),
    );
  }

  private pay(name: keyof typeof EXTRAS, amount: number, nonce: number): Promise<Sent> {
    const to = this.plan.validator.address;
    const transaction = signPayment({ to, amount, maxFee: 1_000, nonce }, this.plan.extra(name));
    return this.traffic.send(transaction, 'scene');
  }

  private trips(): number {
    return this.watch.moves.filter(({ to }) => to === 'open').length;
  }

  private async acknowledged(phase: Phase, count: number): Promise<void> {
    await this.until(`${count} acknowledgements`, () => this.books.acknowledgedIn(phase) >= count);
    const receipts = this.books.sentIn(phase).flatMap(({ receipt }) => receipt ?? []);
    const provisional = receipts.filter(({ verdict }) => verdict === 'provisional').length;
    say(`${receipts.length} acknowledged, ${provisional} of them on a provisional quote`);
  }

  private until(what: string, holds: () => boolean): Promise<true> {
    return poll(what, PATIENCE_MS, () => holds() || undefined);
  }
}

function outcomeOf({ receipt, problem }: Sent): string {
  return receipt ? 'accepted' : (problem ?? 'open');
}
