import { Child } from '../process/child.js';
import { dataDirectory } from '../process/data-directory.js';
import { SETTINGS_DEFAULTS } from '../settings.js';
import type { NodeSettings } from '../settings.js';
import type { Dials } from '../upstream/dials.js';

const NODE = new URL('../node/main.js', import.meta.url);
const UPSTREAM = new URL('../upstream/main.js', import.meta.url);

/** The two processes of the story, on ports that the system chose, and the disk under one of them. */
export class Stage {
  private currentNode: Child;
  private currentUrl = '';

  private constructor(
    readonly upstream: Child,
    readonly upstreamUrl: string,
    private readonly settings: NodeSettings,
  ) {
    this.currentNode = startNode(settings);
  }

  static async open(
    settings: Pick<NodeSettings, 'allocations' | 'validator'>,
    { seed, blocked }: { readonly seed: number; readonly blocked: string },
  ): Promise<Stage> {
    const upstream = Child.start('upstream', UPSTREAM, {
      UPSTREAM_PORT: '0',
      UPSTREAM_SEED: String(seed),
      UPSTREAM_BLOCKED: blocked,
    });
    const upstreamUrl = await upstream.listening();
    const { path } = await dataDirectory();
    const stage = new Stage(upstream, upstreamUrl, {
      ...SETTINGS_DEFAULTS,
      ...settings,
      upstreamUrl,
      dataDirectory: path,
      verify: true,
    });
    stage.currentUrl = await stage.node.listening();
    return stage;
  }

  get node(): Child {
    return this.currentNode;
  }

  get nodeUrl(): string {
    return this.currentUrl;
  }

  /** Another node over the same directory; resolves to the milliseconds until it serves. */
  async restart(): Promise<number> {
    const start = performance.now();
    this.currentNode = startNode(this.settings);
    this.currentUrl = await this.node.listening();
    return performance.now() - start;
  }

  /** What the node finds wrong with itself and with what it has on disk. */
  async examine(): Promise<readonly string[]> {
    return (await this.node.ask('examine', 'examined')).problems;
  }

  async turn(dials: Partial<Dials>): Promise<void> {
    const answer = await fetch(`${this.upstreamUrl}/dials`, {
      method: 'PUT',
      body: JSON.stringify(dials),
      signal: AbortSignal.timeout(5_000),
    });
    if (!answer.ok) throw new Error(`the dials do not turn: ${await answer.text()}`);
  }

  async close(): Promise<void> {
    await Promise.all([this.node.stop(), this.upstream.stop()]);
  }
}

function startNode(settings: NodeSettings): Child {
  return Child.start('node', NODE, { NODE_SETTINGS: JSON.stringify(settings), NO_COLOR: '1' });
}
