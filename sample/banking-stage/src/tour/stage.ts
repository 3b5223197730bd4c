import { Child } from '../process/child.js';
import { SETTINGS_DEFAULTS } from '../settings.js';
import type { NodeSettings } from '../settings.js';
import type { Dials } from '../upstream/dials.js';

/** The two processes of the story, on ports that the system chose. */
export class Stage {
  private constructor(
    readonly upstream: Child,
    readonly upstreamUrl: string,
    readonly node: Child,
    readonly nodeUrl: string,
  ) {}

  static async open(
    settings: Pick<NodeSettings, 'allocations' | 'validator'>,
    { seed, blocked }: { readonly seed: number; readonly blocked: string },
  ): Promise<Stage> {
    const upstream = Child.start('upstream', new URL('../upstream/main.js', import.meta.url), {
      UPSTREAM_PORT: '0',
      UPSTREAM_SEED: String(seed),
      UPSTREAM_BLOCKED: blocked,
    });
    const upstreamUrl = await upstream.listening();
    const full: NodeSettings = { ...SETTINGS_DEFAULTS, ...settings, upstreamUrl };
    const node = Child.start('node', new URL('../node/main.js', import.meta.url), {
      NODE_SETTINGS: JSON.stringify(full),
      NO_COLOR: '1',
    });
    return new Stage(upstream, upstreamUrl, node, await node.listening());
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
