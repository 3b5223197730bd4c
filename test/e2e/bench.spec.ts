import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const script = fileURLToPath(new URL('../bench/run.mjs', import.meta.url));

it('the benchmark ends with one object of the costs and ratios of its cases', async () => {
  const args = [script, '--quick', '--json', '--async', 'off', '--only', 'breaker'];

  const { stdout } = await promisify(execFile)(process.execPath, args);

  const last = JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as {
    cases: { breaker: { ours_ns: number; peers: object; ratio: object } };
  };
  const peers = ['cockatiel', 'opossum', 'nestjs-resilience'];
  expect(Object.keys(last.cases)).toEqual(['breaker']);
  expect(last.cases.breaker.ours_ns).toEqual(expect.any(Number));
  expect(Object.keys(last.cases.breaker.peers)).toEqual(peers);
  expect(Object.keys(last.cases.breaker.ratio)).toEqual(peers);
}, 120_000);

it('the benchmark names its cases to who asks for another', async () => {
  const run = promisify(execFile)(process.execPath, [script, '--only', 'breaker,circuit']);

  await expect(run).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^no such case: circuit; there are breaker, /) as string,
  });
});
