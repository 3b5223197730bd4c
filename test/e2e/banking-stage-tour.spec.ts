import { spawn } from 'node:child_process';
import { poll } from '../../sample/banking-stage/src/client/poll.js';

const TOUR = new URL('../../sample/banking-stage/dist/tour/main.js', import.meta.url).pathname;
const DEADLINE = 150_000;

interface Run {
  /** What it has said so far. */
  readonly output: () => string;
  readonly ended: Promise<number | null>;
  readonly kill: (signal: NodeJS.Signals) => void;
}

function tour(...args: string[]): Run {
  const child = spawn(process.execPath, [TOUR, ...args]);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', (code) => resolve(code));
  });
  return { output: () => output, ended, kill: (signal) => void child.kill(signal) };
}

function pidsIn(output: string): number[] {
  return [...output.matchAll(/\(pid (\d+)\)/g)].map(([, pid]) => Number(pid));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('the tour', () => {
  it(
    'tells its whole story, and all that it promises holds',
    async () => {
      const run = tour('--seed', '1');

      const code = await run.ended;

      const output = run.output();
      const row = (name: string): string =>
        output.split('\n').find((line) => line.startsWith(name)) ?? `no row ${name}:\n${output}`;
      expect(output).not.toContain('FAILED');
      for (const name of [
        'bad input refused for its reason',
        'double spend',
        'recovery time',
        'availability, transient faults',
        'availability, outage',
        '/health answers while degraded',
        'final health',
        'kill -9, time to serve again',
        '... of the latest lost',
        'problems that it finds with itself',
        'accepted, executed: by its own count',
        'data loss (acknowledged, not in the chain)',
        'double entries',
        'entries that nobody sent',
        'integrity issues',
      ]) {
        expect(row(name)).toMatch(/ok$/);
      }
      for (const move of ['closed -> open', 'open -> half-open', 'half-open -> closed']) {
        expect(output).toContain(`breaker FeesClient.quote: ${move}`);
      }
      expect(output).toContain('/health: degraded, HTTP 200; /health/ready: HTTP 200');
      expect(code).toBe(0);
      // the upstream, and the node before and after each of three kills
      expect(new Set(pidsIn(output)).size).toBe(5);
      expect(pidsIn(output).filter(isAlive)).toEqual([]);
    },
    DEADLINE,
  );

  it.each(['SIGKILL', 'SIGINT', 'SIGTERM'] as const)(
    'leaves no process behind when it is ended by %s',
    async (signal) => {
      const run = tour('--seed', '2');
      await poll('traffic', DEADLINE, () => run.output().includes('Bad input') || undefined);
      const pids = pidsIn(run.output());
      expect(pids.map(isAlive)).toEqual([true, true]);

      run.kill(signal);

      expect(await run.ended).not.toBe(0);
      await poll('the children to end', 15_000, () => !pids.some(isAlive) || undefined);
    },
    DEADLINE,
  );

  it('refuses a seed that is none, and says so', async () => {
    const run = tour('--seed', 'banana');

    expect(await run.ended).toBe(1);
    expect(run.output()).toContain('--seed must be a whole number, not "banana"');
  });
});
