import { join } from 'node:path';
import { poll } from '../client/poll.js';
import { RpcClient } from '../client/rpc.client.js';
import { keyPairFrom } from '../keys/key-pair.js';
import { Child } from '../process/child.js';
import { CLUSTER_DEFAULTS, SETTINGS_DEFAULTS } from '../settings.js';
import type { NodeSettings } from '../settings.js';
import { Link } from './link.js';
import { sharedSecret } from './shared-secret.js';

export interface EnsembleOptions {
  readonly settings: Pick<NodeSettings, 'allocations' | 'upstreamUrl'> & Partial<NodeSettings>;
  /** A directory for each node is made in it. */
  readonly directory: string;
  readonly size?: number;
  /** What a node runs. */
  readonly script?: URL;
  /** Where the first node listens, the others after it; 0: wherever there is room. */
  readonly firstPort?: number;
}

/** A breaker of one node, in front of another, moved. */
export interface Move {
  readonly on: string;
  readonly of: string;
  readonly from: string;
  readonly to: string;
}

interface Member {
  readonly name: string;
  readonly secret: string;
  readonly port: number;
  /** From this node to each other one. */
  readonly links: ReadonlyMap<string, Link>;
  process?: Child;
  url: string;
}

/** Milliseconds; a node that was frozen has much to hear. */
const WHOLE_DEADLINE_MS = 60_000;
const NODE = new URL('../node/main.js', import.meta.url);

/** Several nodes, each a process with a directory of its own, and the wires between them. */
export class Ensemble {
  /** What the breakers between the nodes did, oldest first. */
  readonly moves: Move[] = [];
  readonly listeners: ((move: Move) => void)[] = [];
  private readonly members = new Map<string, Member>();

  private constructor(private readonly options: EnsembleOptions) {}

  static async open(options: EnsembleOptions): Promise<Ensemble> {
    const { size = 3, firstPort = 0 } = options;
    const ensemble = new Ensemble(options);
    const shared = await sharedSecret(options.directory);
    const names = Array.from({ length: size }, (_, at) => `node${at + 1}`);
    for (const [at, name] of names.entries()) {
      const links = new Map<string, Link>();
      for (const other of names) if (other !== name) links.set(other, await Link.open());
      const port = firstPort === 0 ? 0 : firstPort + at;
      const secret = `${shared}/${name}`;
      ensemble.members.set(name, { name, secret, port, links, url: '' });
    }
    await Promise.all(names.map((name) => ensemble.start(name)));
    await ensemble.whole();
    return ensemble;
  }

  get names(): readonly string[] {
    return [...this.members.keys()];
  }

  urlOf(name: string): string {
    return this.member(name).url;
  }

  /** Whose answers come from wherever the node listens now. */
  rpc(name: string, timeout?: number): RpcClient {
    return new RpcClient(() => this.urlOf(name), timeout);
  }

  pidOf(name: string): number | undefined {
    return this.member(name).process?.pid;
  }

  isRunning(name: string): boolean {
    return this.member(name).process?.running === true;
  }

  outputOf(name: string): readonly string[] {
    return this.member(name).process?.output ?? [];
  }

  /** A process over the node's own directory; resolves to the milliseconds until it serves. */
  async start(name: string): Promise<number> {
    const start = performance.now();
    const member = this.member(name);
    const child = Child.start(name, this.options.script ?? NODE, {
      NODE_SETTINGS: JSON.stringify(this.settingsOf(member)),
      NODE_PORT: String(member.port),
      NO_COLOR: '1',
    });
    member.process = child;
    child.listeners.push((announcement) => {
      if (announcement.type !== 'breaker' || announcement.key === undefined) return;
      const { key: of, from, to } = announcement;
      const move = { on: name, of, from, to };
      this.moves.push(move);
      for (const listener of this.listeners) listener(move);
    });
    member.url = await child.listening();
    for (const other of this.members.values()) {
      const link = other.links.get(name);
      if (link) link.target = Number(new URL(member.url).port);
    }
    return performance.now() - start;
  }

  /** Resolves when all of them run and reach each other. One that starts before the others finds nobody. */
  async whole(): Promise<void> {
    await poll('a cluster that is whole', WHOLE_DEADLINE_MS, async () => {
      const looks = this.names.map((name) =>
        this.rpc(name).call<{ impaired: readonly unknown[] }>('getHealth'),
      );
      const healths = await Promise.allSettled(looks);
      const isWhole = healths.every(
        (health) => health.status === 'fulfilled' && health.value.impaired.length === 0,
      );
      return isWhole ? true : undefined;
    });
  }

  /** kill -9. */
  async kill(name: string): Promise<void> {
    await this.child(name).kill();
  }

  /** In good order. */
  async stop(name: string): Promise<void> {
    await this.child(name).stop();
  }

  freeze(name: string): void {
    this.child(name).signal('SIGSTOP');
  }

  thaw(name: string): void {
    this.child(name).signal('SIGCONT');
  }

  /** Nobody among the nodes hears it any more, and it hears nobody; clients reach it still. */
  cut(name: string): void {
    for (const link of this.linksOf(name)) link.cut();
  }

  heal(name: string): void {
    for (const link of this.linksOf(name)) link.mend();
  }

  /** What a node finds wrong with itself and with what it has on disk. */
  async examine(name: string): Promise<readonly string[]> {
    return (await this.child(name).ask('examine', 'examined')).problems;
  }

  async close(): Promise<void> {
    const members = [...this.members.values()];
    await Promise.all(
      members.map(async ({ process: child }) => {
        if (!child?.running) return;
        child.signal('SIGCONT');
        await child.stop();
      }),
    );
    for (const { links } of members) for (const link of links.values()) link.close();
  }

  private settingsOf({ name, secret, links }: Member): NodeSettings {
    const { settings, directory } = this.options;
    const validators = [...this.members.values()].map((other) => ({
      name: other.name,
      address: keyPairFrom(other.secret).address,
      url: links.get(other.name)?.url ?? '',
    }));
    return {
      ...SETTINGS_DEFAULTS,
      validator: validators[0]!.address,
      ...settings,
      dataDirectory: join(directory, name),
      cluster: { ...CLUSTER_DEFAULTS, ...settings.cluster, self: name, secret, validators },
    };
  }

  private linksOf(name: string): Link[] {
    return [...this.members.values()].flatMap((member) =>
      member.name === name ? [...member.links.values()] : (member.links.get(name) ?? []),
    );
  }

  private child(name: string): Child {
    const { process: child } = this.member(name);
    if (!child) throw new Error(`${name} was never started`);
    return child;
  }

  private member(name: string): Member {
    const member = this.members.get(name);
    if (!member) throw new Error(`there is no ${name}, only ${this.names.join(', ')}`);
    return member;
  }
}
