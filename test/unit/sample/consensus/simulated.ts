import { FakeClock, seededRandom } from 'nestjs-bulwark/testing';
import { majorityOf, Proposer } from '../../../../sample/banking-stage/src/consensus/proposer.js';
import type {
  OwnVoter,
  Promised,
  Refusal,
  Voted,
  Voter,
} from '../../../../sample/banking-stage/src/consensus/proposer.js';
import { leaderOf, Rotation } from '../../../../sample/banking-stage/src/consensus/rotation.js';
import {
  promising,
  votesAt,
  voting,
} from '../../../../sample/banking-stage/src/consensus/voting.js';
import type { Slot, Votes } from '../../../../sample/banking-stage/src/consensus/voting.js';

export interface SimBlock {
  readonly height: number;
  readonly parent: string;
  readonly orders: readonly number[];
  readonly hash: string;
}

interface SimVote extends Slot {
  readonly by: number;
  readonly hash: string;
}

interface Decided {
  readonly block: SimBlock;
  readonly votes: readonly SimVote[];
}

/** What outlives a crash. */
interface Disk {
  votes: Votes<SimBlock>;
  readonly chain: Decided[];
  readonly pending: Set<number>;
}

const TICK = 40;
const PATIENCE = 250;
const TIMEOUT = 400;
const PER_BLOCK = 3;

/** What is wrong with the network, and how often. */
export interface Weather {
  loss: number;
  duplicates: number;
  maxDelay: number;
}

/** Validators that crash, freeze and are cut off, on one clock and with one set of dice. */
export class Simulation {
  readonly clock = new FakeClock();
  readonly random: () => number;
  readonly nodes: SimNode[];
  weather: Weather = { loss: 0, duplicates: 0, maxDelay: 20 };
  /** Those that can hear each other; everybody where it is not given. */
  island: ReadonlySet<number> | undefined;
  /** The one block that each height may ever have. */
  readonly decided = new Map<number, string>();
  private orders = 0;

  constructor(seed: number, size = 3) {
    this.random = seededRandom(seed);
    this.nodes = Array.from({ length: size }, (_, self) => new SimNode(self, size, this));
    for (const node of this.nodes) node.start();
  }

  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  /** A client tells one node, which tells the others if the network lets it. */
  order(): void {
    const order = ++this.orders;
    const to = this.nodes[this.below(this.nodes.length)]!;
    if (to.isUp) to.hear(order);
  }

  record(height: number, hash: string): void {
    const before = this.decided.get(height);
    if (before !== undefined && before !== hash) {
      throw new Error(`two blocks at height ${height}: ${before} and ${hash}`);
    }
    this.decided.set(height, hash);
  }

  /** A question and its answer, each of which may be lost, late, or come twice. */
  ask<T>(from: SimNode, to: SimNode, question: () => Promise<T>): Promise<T> {
    const life = from.life;
    return new Promise((resolve, reject) => {
      this.clock.schedule(() => reject(new Error('timeout')), TIMEOUT);
      const copies = this.random() < this.weather.duplicates ? 2 : 1;
      for (let copy = 0; copy < copies; copy++) {
        this.carry(from, to, () => {
          const itsLife = to.life;
          question().then(
            (answer) => {
              if (to.life !== itsLife) return;
              this.carry(to, from, () => from.life === life && resolve(answer));
            },
            () => undefined,
          );
        });
      }
    });
  }

  private carry(from: SimNode, to: SimNode, arrive: () => void): void {
    if (this.random() < this.weather.loss || !this.connected(from, to)) return;
    this.clock.schedule(
      () => {
        if (to.isUp && this.connected(from, to)) to.awake(arrive);
      },
      1 + this.below(this.weather.maxDelay),
    );
  }

  private connected(one: SimNode, other: SimNode): boolean {
    return this.island === undefined || this.island.has(one.self) === this.island.has(other.self);
  }
}

export class SimNode {
  readonly disk: Disk = { votes: { height: 1, promised: 0 }, chain: [], pending: new Set() };
  isUp = true;
  /** Of what came before a crash nothing goes on after it. */
  life = 0;
  private thawed: (() => void)[] | undefined;
  private rotation!: Rotation;
  private isBusy = false;

  constructor(
    readonly self: number,
    private readonly size: number,
    private readonly simulation: Simulation,
  ) {}

  start(): void {
    this.isUp = true;
    this.isBusy = false;
    const { size, self, simulation } = this;
    this.rotation = new Rotation({
      self,
      validators: size,
      patience: PATIENCE,
      random: simulation.random,
      isAway: () => false,
    });
    this.tick(this.life);
  }

  crash(): void {
    this.life++;
    this.isUp = false;
    this.thawed = undefined;
  }

  freeze(): void {
    this.thawed ??= [];
  }

  thaw(): void {
    const missed = this.thawed ?? [];
    this.thawed = undefined;
    for (const one of missed) one();
  }

  /** Now, or when it is no longer frozen. */
  awake(run: () => void): void {
    if (this.thawed) this.thawed.push(run);
    else run();
  }

  hear(order: number): void {
    if (!this.isKnown(order)) this.disk.pending.add(order);
  }

  get height(): number {
    return this.disk.chain.length;
  }

  get blocks(): SimBlock[] {
    return this.disk.chain.map(({ block }) => block);
  }

  private isKnown(order: number): boolean {
    return this.blocks.some(({ orders }) => orders.includes(order));
  }

  private tick(life: number): void {
    if (life !== this.life) return;
    this.gossip();
    void this.catchUp();
    void this.decide();
    const { clock } = this.simulation;
    clock.schedule(() => this.awake(() => this.tick(life)), TICK + this.simulation.below(TICK));
  }

  private gossip(): void {
    for (const other of this.others()) {
      const orders = [...this.disk.pending];
      const told = this.simulation.ask(this, other, async () =>
        orders.forEach((o) => other.hear(o)),
      );
      told.catch(() => undefined);
    }
  }

  private async catchUp(): Promise<void> {
    const others = this.others();
    const other = others[this.simulation.below(others.length)]!;
    const from = this.height;
    const found = this.simulation.ask(this, other, async () => other.disk.chain.slice(from));
    for (const decided of await found.catch(() => [])) this.adopt(decided);
  }

  private async decide(): Promise<void> {
    const votes = votesAt(this.disk.votes, this.height + 1)!;
    if (this.isBusy) return;
    if (this.disk.pending.size === 0 && votes.accepted === undefined) return this.rotation.rest();
    const round = this.rotation.turn(votes, this.simulation.clock.now());
    if (round === undefined) return;
    this.isBusy = true;
    const { life } = this;
    const slot = { height: this.height + 1, round };
    const outcome = await this.proposer().propose(slot);
    if (life !== this.life) return;
    this.isBusy = false;
    if (outcome.kind === 'refused') this.rotation.refused(outcome.by.promised);
    if (outcome.kind === 'decided') this.adopt(outcome);
  }

  private proposer(): Proposer<SimBlock, SimVote> {
    const { simulation } = this;
    const others = this.others().map((other): Voter<SimBlock, SimVote> => {
      return {
        promise: (slot) =>
          simulation.ask(this, other, async () => other.own(this.self).promise(slot)),
        vote: (slot, block) =>
          simulation.ask(this, other, async () => other.own(this.self).vote(slot, block)),
      };
    });
    return new Proposer({ own: this.own(this.self), others, draft: async () => this.draft() });
  }

  /** Its votes, as asked for by another or by itself. */
  private own(asking: number): OwnVoter<SimBlock, SimVote> {
    const refuse = (): Refusal => ({
      ok: false,
      height: this.height,
      promised: this.disk.votes.promised,
    });
    const promise = (slot: Slot): Promised<SimBlock> => {
      const next = promising(this.disk.votes, slot);
      if (!next || slot.height !== this.height + 1) return refuse();
      if (asking !== leaderOf(slot, this.size)) return refuse();
      this.disk.votes = next;
      return { ok: true, ...(next.accepted && { accepted: next.accepted }) };
    };
    const vote = (slot: Slot, block: SimBlock): Voted<SimVote> => {
      const next = voting(this.disk.votes, slot, block);
      if (!next || !this.follows(block) || asking !== leaderOf(slot, this.size)) return refuse();
      this.disk.votes = next;
      return { ok: true, vote: { ...slot, by: this.self, hash: block.hash } };
    };
    return {
      promise: async (slot) => promise(slot),
      begin: async (slot) => {
        const present = votesAt(this.disk.votes, slot.height);
        return present && slot.round > present.promised ? promise(slot) : refuse();
      },
      vote: async (slot, block) => vote(slot, block),
      firstVote: (height) => {
        const accepted = votesAt(this.disk.votes, height)?.accepted;
        return accepted?.round === 0 ? accepted.block : undefined;
      },
    };
  }

  private draft(): SimBlock | undefined {
    const orders = [...this.disk.pending].slice(0, PER_BLOCK);
    if (orders.length === 0) return undefined;
    const height = this.height + 1;
    const parent = this.blocks.at(-1)?.hash ?? 'genesis';
    // two drafts of the same are two blocks: were they confused, nothing would be noticed
    const hash = `${height}/${this.self}/${this.simulation.below(1e9)}`;
    return { height, parent, orders, hash };
  }

  private follows({ height, parent, orders }: SimBlock): boolean {
    const tip = this.blocks.at(-1)?.hash ?? 'genesis';
    return (
      height === this.height + 1 && parent === tip && !orders.some((order) => this.isKnown(order))
    );
  }

  private adopt(decided: Decided): void {
    const { block, votes } = decided;
    const [first] = votes;
    const alike = votes.filter(
      ({ height, round, hash }) =>
        height === block.height && round === first?.round && hash === block.hash,
    );
    if (new Set(alike.map(({ by }) => by)).size < majorityOf(this.size))
      throw new Error('no majority');
    this.simulation.record(block.height, block.hash);
    if (!this.follows(block)) return;
    this.disk.chain.push(decided);
    for (const order of block.orders) this.disk.pending.delete(order);
  }

  private others(): SimNode[] {
    return this.simulation.nodes.filter((node) => node !== this);
  }
}
