// Real processes on a real disk, of what `npm run build` made.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const script = (name: string): string =>
  fileURLToPath(new URL(`processes/${name}.mjs`, import.meta.url));

beforeAll(() => {
  if (!existsSync(new URL('../../dist/checkpoint/stores/file/verify.js', import.meta.url)))
    throw new Error('not built: run `npm run build` first');
});

/** A writer, and what it says. */
class Writer {
  said = '';
  readonly child: ChildProcess;
  private readonly ended: Promise<unknown>;

  constructor(directory: string, ...more: string[]) {
    this.child = spawn(process.execPath, [script('writer'), directory, ...more], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.ended = once(this.child, 'close');
    const note = (chunk: Buffer): void => void (this.said += chunk.toString());
    this.child.stdout!.on('data', note);
    this.child.stderr!.on('data', note);
  }

  async says(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.said)) {
      const heard = new Promise((resolve) => setTimeout(resolve, 5)).then(() => true);
      if ((await Promise.race([this.ended, heard])) !== true) break;
    }
    expect(this.said).toMatch(pattern);
    return this.said;
  }

  get acked(): number {
    return Math.max(0, ...[...this.said.matchAll(/^acked (\d+)$/gm)].map(([, n]) => Number(n)));
  }

  async end(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}

describe('real processes', () => {
  const directory = mkdtempSync(join(tmpdir(), 'bulwark-processes-'));
  afterAll(() => rmSync(directory, { recursive: true }));

  test.each([
    ['sync', '150'],
    ['manual', '50'],
  ])(
    '#102 kill -9 at any time loses nothing acknowledged (%s, %s rounds)',
    async (mode, rounds) => {
      const { stdout } = await run(process.execPath, [script('kill-rounds'), rounds, mode]);
      expect(JSON.parse(stdout)).toMatchObject({ rounds: Number(rounds) });
    },
    600_000,
  );

  test.each(['sync', 'manual'])(
    '#103 a real ext4 that loses its power loses nothing acknowledged (%s)',
    async (mode) => {
      const { stdout } = await run(process.execPath, [script('power-cut'), '4', mode]);
      if (stdout.startsWith('SKIPPED')) process.stderr.write(stdout);
      else expect(JSON.parse(stdout)).toMatchObject({ cuts: 4 });
    },
    120_000,
  );

  test('#117 of many processes that find a dead owner one wins', async () => {
    const place = join(directory, 'race');
    const first = new Writer(place);
    await first.says(/acked/);
    await first.end();

    const contenders = Array.from({ length: 6 }, () => new Writer(place, 'sync', '1'));
    await Promise.all(contenders.map((one) => one.says(/opened|CHECKPOINT_LOCKED/)));
    const winners = contenders.filter(({ said }) => said.startsWith('opened'));
    await Promise.all(contenders.map((one) => one.end()));

    expect(winners).toHaveLength(1);
  }, 60_000);

  test('#117 of two processes that write a thousand times each, what was acknowledged is there, once', async () => {
    const place = join(directory, 'contest');
    const contend = async (): Promise<{ acked: number[]; refused: Record<string, number> }> => {
      const { stdout } = await run(process.execPath, [script('contender'), place, '1000']);
      return JSON.parse(stdout) as { acked: number[]; refused: Record<string, number> };
    };
    const both = await Promise.all([contend(), contend()]);

    const acked = both.flatMap((one) => one.acked).toSorted((a, b) => a - b);
    // each read what was there and wrote what comes next: none twice, none over another's, none missing
    expect(acked).toEqual(acked.map((_, i) => i + 1));
    for (const one of both) {
      expect(one.acked.length).toBeGreaterThan(0);
      const refused = Object.values(one.refused).reduce((sum, n) => sum + n, 0);
      expect(one.acked.length + refused).toBe(1_000);
      // the loser is told by a typed error, and only by that
      expect(Object.keys(one.refused)).toEqual(['CHECKPOINT_LOCKED']);
    }
    const last = new Writer(place);
    const said = await last.says(/opened \d+/);
    await last.end();
    expect(said).toContain(`opened ${acked.length}\n`);
  }, 300_000);

  test('#118 an owner that stands still longer than its lease is fenced when it goes on', async () => {
    const place = join(directory, 'stopped');
    const stopped = new Writer(place, 'sync', '4');
    await stopped.says(/acked 50$/m);
    const refused = new Writer(place);
    await refused.says(/CHECKPOINT_LOCKED/);
    stopped.child.kill('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 200));
    const before = stopped.acked;

    await new Promise((resolve) => setTimeout(resolve, 5_000));
    const next = new Writer(place, 'sync', '4');
    await next.says(/opened \d+/);
    const opened = Number(/opened (\d+)/.exec(next.said)![1]);
    stopped.child.kill('SIGCONT');
    // it sees that the lock is another's; or that its file is gone, where it was stopped while it made one
    await stopped.says(/fenced CHECKPOINT_(?:FENCED CHECKPOINT_LOCKED|IO ENOENT)/);

    expect(opened).toBeGreaterThanOrEqual(before);
    expect(stopped.acked).toBeLessThanOrEqual(opened);
    await next.says(new RegExp(`acked ${opened + 100}$`, 'm'));
    await next.end();
    const last = new Writer(place);
    await last.says(/opened \d+/);
    await last.end();
    await refused.end();
  }, 60_000);
});
