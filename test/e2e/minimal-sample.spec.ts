import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { poll } from '../../sample/banking-stage/src/client/poll.js';
import { listen } from '../../sample/banking-stage/src/process/listening.js';

const MAIN = new URL('../../sample/minimal/dist/main.js', import.meta.url).pathname;
const DEADLINE = 30_000;

let upstream: Server;
let child: ChildProcess;
let isUp = true;
let asked = 0;
let url: string;

beforeAll(async () => {
  upstream = createServer((_, response) => {
    asked += 1;
    response.statusCode = isUp ? 200 : 503;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ EUR: 1.2 }));
  });
  const env = { ...process.env, PORT: '0', RATES_URL: await listen(upstream, 0) };
  child = spawn(process.execPath, [MAIN], { env });
  let output = '';
  for (const stream of [child.stdout!, child.stderr!])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  url = await poll('the line that says what to try', DEADLINE, () => {
    if (child.exitCode !== null) throw new Error(`it ended: ${output}`);
    return /Try: curl (http:\S+)\/rates/.exec(output)?.[1];
  });
});

afterAll(async () => {
  upstream.close();
  if (child.exitCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
});

const get = async (path: string): Promise<[number, unknown]> => {
  const answer = await fetch(url + path);
  return [answer.status, await answer.json()];
};

it('the minimal sample opens its breaker when its upstream fails, and /health shows it', async () => {
  expect(await get('/rates')).toEqual([200, { EUR: 1.2 }]);
  expect(await get('/health')).toEqual([200, { status: 'ok' }]);

  isUp = false;
  for (let i = 0; i < 2; i += 1)
    expect(await get('/rates')).toEqual([200, { EUR: 1.1, degraded: true }]);
  expect(await get('/health')).toEqual([200, { status: 'degraded' }]);

  const before = asked;
  expect(before).toBe(1 + 5);
  expect(await get('/rates')).toEqual([200, { EUR: 1.1, degraded: true }]);
  expect(asked).toBe(before);
  expect((await get('/health/live'))[0]).toBe(200);
});
