// The end of servers that are processes of their own, as their clients live through it.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { News, Settings } from './shutdown/server.js';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const ADAPTERS = ['Express', 'Fastify'] as const;

interface Reply {
  readonly status: number;
  readonly text: string;
}

interface Ask {
  readonly method?: string;
  readonly agent?: Agent | false;
  readonly token?: string;
}

/** What opens the way to the shutdown route; the module that has it is a program. */
const TOKEN = 'a-token-of-the-tests-of-thirty-two-characters';

let place: string;
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), 'bulwark-shutdown-'));
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

/** A server, with what it has told. */
class Running {
  readonly told: News[] = [];
  log = '';
  port = 0;
  private readonly wake = new Set<() => void>();

  constructor(readonly child: ChildProcess) {
    child.on('message', (news) => {
      this.told.push(news as News);
      for (const wake of this.wake) wake();
    });
    child.on('exit', () => {
      for (const wake of this.wake) wake();
    });
    for (const stream of [child.stdout!, child.stderr!])
      stream.on('data', (chunk) => (this.log += String(chunk)));
  }

  static async start(
    adapter: Settings['adapter'],
    shutdown: Settings['shutdown'] = {},
    directory = mkdtempSync(join(place, 'server-')),
  ): Promise<Running> {
    const running = Running.fork({ adapter, shutdown, directory });
    running.port = (await running.next('listening')).port;
    return running;
  }

  /** A server that has only begun to start. */
  static fork(settings: Settings): Running {
    const { JEST_WORKER_ID: _, NODE_ENV: __, ...env } = process.env;
    const child = fork(here('shutdown/server.ts'), {
      execArgv: ['--import', here('../support/typescript.mjs'), '--unhandled-rejections=strict'],
      env: { ...env, SERVER_SETTINGS: JSON.stringify(settings) },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const running = new Running(child);
    started.push(running);
    return running;
  }

  /** Resolves when so many news of a type have come. */
  async next<T extends News['type']>(type: T, count = 1): Promise<Extract<News, { type: T }>> {
    const all = (): News[] => this.told.filter((news) => news.type === type);
    while (all().length < count) {
      const gone = this.child.exitCode !== null || this.child.signalCode !== null;
      if (gone) throw new Error(`it has ended:\n${this.log}`);
      await new Promise<void>((resolve) => this.wake.add(resolve));
    }
    return all()[count - 1] as Extract<News, { type: T }>;
  }

  ask(path: string, { method = 'GET', agent = false, token }: Ask = {}): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const { port } = this;
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      request({ host: '127.0.0.1', port, path, method, agent, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk) => (text += String(chunk)));
        response.once('error', reject);
        response.once('end', () => resolve({ status: response.statusCode!, text }));
      })
        .once('error', reject)
        .end();
    });
  }

  /** A stream of events that has begun. */
  async stream(): Promise<IncomingMessage> {
    const asked = request({ host: '127.0.0.1', port: this.port, path: '/events', agent: false });
    asked.end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    await once(response, 'data');
    return response;
  }

  end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.child.kill(signal);
    return this.ended();
  }

  /** Resolves when it has ended by itself, in order. */
  async ended(): Promise<void> {
    const { child } = this;
    if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
    expect([child.exitCode, child.signalCode, this.log]).toEqual([0, null, expect.anything()]);
    expect(this.log).toContain('shut down');
  }
}

const started: Running[] = [];
afterEach(() => {
  for (const { child } of started.splice(0)) child.kill('SIGKILL');
});

const LATE = /have not ended within/;

describe.each(ADAPTERS)('on %s', (adapter) => {
  it('#92 fifty calls on their way end, their queue and the waits between attempts do too', async () => {
    const server = await Running.start(adapter);
    const calls = Array.from({ length: 50 }, () => server.ask('/direct/1000'));
    await server.next('working', 50);
    const queued = Array.from({ length: 10 }, () => server.ask('/direct/1000'));
    const full = await server.ask('/direct/1000'); // it comes after them, and so they are queued
    const retried = server.ask('/failing');
    await server.next('working', 51);
    const ended = server.end();

    expect(full.status).toBe(503);
    expect(await Promise.all(calls)).toEqual(Array(50).fill({ status: 200, text: 'done' }));
    expect((await Promise.all(queued)).map(({ status }) => status)).toEqual(Array(10).fill(503));
    await expect(retried).resolves.toMatchObject({ status: 500 });
    await ended;
    // none of them was cut: the calls took a second, and the grace is ten
    expect(server.log).not.toMatch(LATE);
    await expect(server.ask('/quick')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  }, 60_000);

  it('#92 a call of a minute is cut when the grace is over, and its client gets an answer', async () => {
    const server = await Running.start(adapter, { grace: 1_000 });
    const calls = [server.ask('/limited/60000'), server.ask('/direct/60000')];
    await server.next('working', 2);
    const ended = server.end();

    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([503, 503]);
    await ended;
    expect(server.log).toMatch(LATE);
  }, 60_000);

  it('#93 idle connections and event streams keep nothing from closing', async () => {
    const server = await Running.start(adapter, { grace: 60_000 });
    const agents = Array.from({ length: 10 }, () => new Agent({ keepAlive: true }));
    for (const agent of agents) await server.ask('/quick', { agent });
    const streams = await Promise.all(Array.from({ length: 10 }, () => server.stream()));
    const ends = streams.map((stream) => once(stream.resume(), 'end'));
    await server.end();

    // they end as answers do that are complete
    await Promise.all(ends);
    expect(streams.every(({ complete }) => complete)).toBe(true);
    expect(server.log).not.toMatch(LATE);
    for (const agent of agents) agent.destroy();
  }, 60_000);

  it('#92 what is pending is kept by a hook that makes calls, and is there at the next start', async () => {
    const directory = mkdtempSync(join(place, 'server-'));
    const server = await Running.start(adapter, {}, directory);
    expect(await server.next('listening')).toMatchObject({ kept: [] });
    await server.end();
    expect(await server.next('hook')).toMatchObject({ reason: 'SIGTERM' });

    const again = await Running.start(adapter, {}, directory);
    expect(await again.next('listening')).toMatchObject({ kept: ['SIGTERM'] });
    await again.end('SIGINT');
  }, 60_000);

  it('#91 two signals are one, and the process ends with code 0', async () => {
    const server = await Running.start(adapter, { grace: 60_000 });
    const call = server.ask('/limited/1000');
    await server.next('working');
    server.child.kill('SIGTERM');
    server.child.kill('SIGINT');
    const ended = server.end();

    await expect(call).resolves.toEqual({ status: 200, text: 'done' });
    await ended;
    expect(server.log.match(/shutting down/g)).toHaveLength(1);
    expect(server.told.filter(({ type }) => type === 'hook')).toHaveLength(1);
  }, 60_000);

  it('#91 a signal while it starts ends it with code 0 too', async () => {
    const server = Running.fork({
      adapter,
      shutdown: {},
      directory: mkdtempSync(join(place, 'server-')),
      boot: 500,
    });
    await server.next('booting');
    await server.end();

    expect(server.told.filter(({ type }) => type === 'hook')).toHaveLength(1);
  }, 60_000);

  it('#151 whoever asks for the shutdown reads the answer, and so do 99 who ask with it', async () => {
    const server = await Running.start(adapter);
    // their connections are there already: it is the answers that are at stake
    const agents = Array.from({ length: 100 }, () => new Agent({ keepAlive: true }));
    await Promise.all(agents.map((agent) => server.ask('/quick', { agent })));
    const slow = agents.slice(1).map((agent) => server.ask('/limited/500', { agent }));
    await server.next('working', 99);
    const asked = { method: 'POST', agent: agents[0]!, token: TOKEN };
    const answer = await server.ask('/recovery/shutdown', asked);

    expect(answer.status).toBe(202);
    expect(JSON.parse(answer.text)).toMatchObject({ success: true });
    expect((await Promise.all(slow)).filter(({ status }) => status === 200)).toHaveLength(99);
    await server.ended();
    for (const agent of agents) agent.destroy();
  }, 60_000);
});

/** Sends requests in turn to those servers that say they are ready. */
class Balancer {
  private turn = 0;
  private isOn = true;
  private readonly agents: readonly Agent[];
  private readonly ready: boolean[];
  private readonly probes: Promise<void>[];

  constructor(private readonly servers: readonly Running[]) {
    this.agents = servers.map(() => new Agent({ keepAlive: true }));
    this.ready = servers.map(() => true);
    this.probes = servers.map((_, i) => this.probe(i));
  }

  send(path: string): Promise<Reply> {
    const ready = this.servers.flatMap((_, i) => (this.ready[i] === true ? [i] : []));
    const chosen = ready[(this.turn += 1) % ready.length]!;
    return this.servers[chosen]!.ask(path, { agent: this.agents[chosen]! });
  }

  isReady(i: number): boolean {
    return this.ready[i] === true;
  }

  async stop(): Promise<void> {
    this.isOn = false;
    await Promise.all(this.probes);
    for (const agent of this.agents) agent.destroy();
  }

  private async probe(i: number): Promise<void> {
    while (this.isOn) {
      const answer = await this.servers[i]!.ask('/health/ready').catch(() => undefined);
      this.ready[i] = answer?.status === 200;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

it.each(ADAPTERS)(
  '#184 none of 1,000 requests is lost in a rolling stop on %s',
  async (adapter) => {
    const servers = [
      await Running.start(adapter, { preStopDelay: 1_500 }),
      await Running.start(adapter, { preStopDelay: 1_500 }),
    ];
    const balancer = new Balancer(servers);
    const replies: Reply[] = [];
    let ended: Promise<void> | undefined;
    let left = 1_000;
    // the last hundred come when the server is gone
    const client = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        if (left === 900) ended = servers[0]!.end();
        if (left < 100) await ended;
        replies.push(await balancer.send(left % 5 === 0 ? '/direct/50' : '/quick'));
      }
    };
    await Promise.all(Array.from({ length: 8 }, client));
    await ended;
    expect(balancer.isReady(0)).toBe(false);
    await balancer.stop();

    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1_000);
    await servers[1]!.end();
  },
  60_000,
);
