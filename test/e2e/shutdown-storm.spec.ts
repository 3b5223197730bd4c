// Shells and orchestrators send their signal more than once: to the group, and again by whoever passes it on.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { News, Settings } from './shutdown/server.js';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

test('signals that go on until the process is gone do not change its code', async () => {
  const place = mkdtempSync(join(tmpdir(), 'bulwark-storm-'));
  const { JEST_WORKER_ID: _, NODE_ENV: __, ...env } = process.env;
  const settings: Settings = { adapter: 'Express', shutdown: {}, directory: place };
  const child = fork(here('shutdown/server.ts'), {
    execArgv: ['--import', here('../support/typescript.mjs'), '--unhandled-rejections=strict'],
    env: { ...env, SERVER_SETTINGS: JSON.stringify(settings) },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  let storm: NodeJS.Timeout | undefined;
  child.on('message', (news: News) => {
    if (news.type === 'listening') storm = setInterval(() => child.kill('SIGTERM'), 1);
  });
  try {
    await once(child, 'exit');
    expect([child.exitCode, child.signalCode]).toEqual([0, null]);
  } finally {
    clearInterval(storm);
    child.kill('SIGKILL');
    rmSync(place, { recursive: true, force: true });
  }
}, 30_000);
