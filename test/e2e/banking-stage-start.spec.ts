import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { poll } from '../../sample/banking-stage/src/client/poll.js';
import { listen } from '../../sample/banking-stage/src/process/listening.js';

const DIST = new URL('../../sample/banking-stage/dist/', import.meta.url).pathname;
const ROOT = new URL('../../', import.meta.url).pathname;
const DEADLINE = 30_000;

interface Started {
  readonly output: () => string;
  readonly ended: Promise<number | null>;
  readonly kill: (signal: NodeJS.Signals) => void;
}

const running: Started[] = [];

function start(env: Record<string, string>): Started {
  const child = spawn(process.execPath, [`${DIST}main.js`], {
    env: { ...process.env, PORT: '0', UPSTREAM_PORT: '0', ...env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', (code) => resolve(code));
  });
  const started = { output: () => output, ended, kill: (s: NodeJS.Signals) => void child.kill(s) };
  running.push(started);
  return started;
}

async function guideOf(started: Started): Promise<string> {
  return poll('the guide', DEADLINE, () => {
    const output = started.output();
    return output.includes('Ctrl+C ends it.') ? output : undefined;
  });
}

const TOKEN = randomBytes(32).toString('hex');

/** The commands as printed, run by a shell, as a reader would. */
async function typed(command: string): Promise<string> {
  const env = { ...process.env, RECOVERY_TOKEN: TOKEN };
  const { stdout } = await promisify(execFile)('sh', ['-c', command], { cwd: ROOT, env });
  return stdout;
}

function commandsIn(guide: string, pattern: RegExp): string[] {
  return guide
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /^(curl|node) /.test(line) && pattern.test(line));
}

afterEach(async () => {
  for (const started of running.splice(0)) {
    started.kill('SIGTERM'); // not SIGKILL: it has a directory to remove
    await started.ended;
  }
});

describe('npm start', () => {
  it(
    'prints commands that work as they stand',
    async () => {
      const guide = await guideOf(start({}));
      const [send] = commandsIn(guide, /send\.js/);
      const [getBlock] = commandsIn(guide, /getBlock/);
      const [health] = commandsIn(guide, /\/health/);
      const [away, back] = commandsIn(guide, /\/dials/);

      expect(await typed(send!)).toContain('in block 1');
      expect(JSON.parse(await typed(getBlock!))).toMatchObject({ result: { height: 1 } });
      expect(JSON.parse(await typed(health!))).toMatchObject({ status: 'ok' });

      await typed(away!);
      expect(await typed(send!)).toContain("verdict: 'provisional'");
      expect(await typed(send!)).toContain("verdict: 'provisional'");
      expect(JSON.parse(await typed(health!))).toMatchObject({ status: 'degraded' });

      await typed(back!);
      await poll('a cleared transaction', DEADLINE, async () =>
        (await typed(send!)).includes("verdict: 'cleared'") ? true : undefined,
      );
    },
    2 * DEADLINE,
  );

  it(
    'prints commands that look after it, and the README has more: as they stand, to the end and after it',
    async () => {
      const DATA_DIR = await mkdtemp(join(tmpdir(), 'banking-stage-test-'));
      const started = start({ RECOVERY_TOKEN: TOKEN, DATA_DIR });
      const guide = await guideOf(started);
      const [send] = commandsIn(guide, /send\.js/);
      const [, node] = /banking stage +(\S+)\/rpc/.exec(guide)!;
      const readme = await readFile(`${ROOT}sample/banking-stage/README.md`, 'utf8');
      const told = readme.replaceAll('http://127.0.0.1:3000', node!);
      const commands = [guide, told].flatMap((text) => commandsIn(text, /\/recovery/));
      await typed(send!);

      const answers: { success: boolean; message?: string }[] = [];
      for (const command of commands) answers.push(JSON.parse(await typed(command)) as never);

      expect(answers).toHaveLength(11);
      expect(answers.filter(({ success }) => !success)).toEqual([]);
      expect(answers.at(-1)).toMatchObject({ message: 'Graceful shutdown initiated' });
      expect(await started.ended).toBe(0);
      const again = await guideOf(start({ RECOVERY_TOKEN: TOKEN, DATA_DIR }));
      const [getBlock] = commandsIn(again, /getBlock/);
      expect(JSON.parse(await typed(getBlock!))).toMatchObject({ result: { height: 1 } });
      const [, , , actions] = commandsIn(again, /\/recovery/);
      // What was done to it before is still known.
      expect(await typed(actions!)).toContain('"shutdown"');
      for (const one of running.splice(0)) {
        one.kill('SIGTERM');
        await one.ended;
      }
      await rm(DATA_DIR, { recursive: true });
    },
    2 * DEADLINE,
  );

  it('lets nobody look after it without a token', async () => {
    const guide = await guideOf(start({}));
    const [status] = commandsIn(guide, /\/recovery\/status/);

    expect(JSON.parse(await typed(status!))).toMatchObject({ success: false });
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'ends with code 0 at %s, and takes the upstream along',
    async (signal) => {
      const started = start({});
      const guide = await guideOf(started);
      const upstream = /fees and compliance (\S+)/.exec(guide)?.[1];
      const data = /data +(\S+) +\(of this run only/.exec(guide)![1]!;
      expect(existsSync(data)).toBe(true);
      expect((await fetch(`${upstream}/dials`)).status).toBe(200);

      started.kill(signal);

      expect(await started.ended).toBe(0);
      await expect(fetch(`${upstream}/dials`)).rejects.toThrow();
      expect(existsSync(data)).toBe(false);
    },
    DEADLINE,
  );

  it(
    'goes on, after kill -9 too, from the directory that was named, which it has to itself',
    async () => {
      const parent = await mkdtemp(join(tmpdir(), 'banking-stage-named-'));
      const env = { DATA_DIR: join(parent, 'data') };
      const first = start(env);
      const guide = await guideOf(first);
      expect(guide).toContain(`${env.DATA_DIR}   (kept`);
      const [send] = commandsIn(guide, /send\.js/);
      expect(await typed(send!)).toContain('in block 1');

      const second = start(env);
      expect(await second.ended).toBe(1);
      expect(second.output()).toMatch(/another process|owned|locked/i);

      first.kill('SIGKILL');
      await first.ended;
      const third = await guideOf(start(env));
      const [again] = commandsIn(third, /send\.js/);
      expect(await typed(again!)).toContain('in block 2');
      await rm(parent, { recursive: true, force: true, maxRetries: 3 });
    },
    2 * DEADLINE,
  );

  it.each(['PORT', 'UPSTREAM_PORT'])(
    'says what to do when the port of %s is taken',
    async (variable) => {
      const squatter = createServer();
      const port = new URL(await listen(squatter, 0)).port;

      const started = start({ [variable]: port });

      expect(await started.ended).toBe(1);
      expect(started.output()).toContain(
        `port ${port} is taken: choose another one with ${variable}=`,
      );
      squatter.close();
    },
    DEADLINE,
  );

  it('refuses a port that is none', async () => {
    const started = start({ PORT: 'http' });

    expect(await started.ended).toBe(1);
    expect(started.output()).toContain('PORT must be a port from 0 to 65535, not "http"');
  });
});
