import type { Announcement } from '../process/announcement.js';
import type { Child } from '../process/child.js';
import { say } from './narrator.js';

const INTERVAL_MS = 50;

export interface HealthSeen {
  readonly status: string;
  readonly http: number;
  readonly ready: number;
}

export type BreakerMove = Extract<Announcement, { type: 'breaker' }>;

/** Asks /health and /health/ready all the time, and hears from the node when a breaker moves. */
export class HealthWatch {
  readonly seen: HealthSeen[] = [];
  readonly moves: BreakerMove[] = [];
  private stopped = false;
  private watching: Promise<void> = Promise.resolve();

  /** Nobody is expected to answer: what is seen meanwhile is not written down. */
  away = false;

  constructor(private readonly nodeUrl: () => string) {}

  follow(node: Child): void {
    node.listeners.push((announcement) => {
      if (announcement.type !== 'breaker') return;
      this.moves.push(announcement);
      const { name, from, to, reason } = announcement;
      say(`breaker ${name}: ${from} -> ${to} (${reason})`);
    });
  }

  get breaker(): string {
    return this.moves.at(-1)?.to ?? 'closed';
  }

  get now(): HealthSeen | undefined {
    return this.seen.at(-1);
  }

  start(): void {
    this.watching = this.watch();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.watching;
  }

  private async watch(): Promise<void> {
    while (!this.stopped) {
      const wasAway = this.away;
      const now = await this.look();
      if (!wasAway && !this.away) this.note(now);
      await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
    }
  }

  private note(now: HealthSeen): void {
    const before = this.now;
    this.seen.push(now);
    if (before?.status === now.status && before.http === now.http && before.ready === now.ready)
      return;
    say(`/health: ${now.status}, HTTP ${now.http}; /health/ready: HTTP ${now.ready}`);
  }

  private async look(): Promise<HealthSeen> {
    try {
      const signal = AbortSignal.timeout(5_000);
      const [health, ready] = await Promise.all([
        fetch(`${this.nodeUrl()}/health`, { signal }),
        fetch(`${this.nodeUrl()}/health/ready`, { signal }),
      ]);
      await ready.arrayBuffer();
      const { status } = (await health.json()) as { status: string };
      return { status, http: health.status, ready: ready.status };
    } catch (error) {
      return { status: `no answer (${String(error)})`, http: 0, ready: 0 };
    }
  }
}
