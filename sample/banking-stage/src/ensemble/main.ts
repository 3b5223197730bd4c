import { createInterface } from 'node:readline';
import { mkdir } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { DEMO_ALLOCATIONS, demoKeys, BLOCKED_NAME, FEE_COLLECTOR } from '../demo/accounts.js';
import { Child } from '../process/child.js';
import { dataDirectory } from '../process/data-directory.js';
import { closeOnSignal } from '../process/lifetime.js';
import { portFrom } from '../process/listening.js';
import { CLUSTER_GUIDE, obey, overview } from './console.js';
import { Ensemble } from './ensemble.js';
import { rollingRestart } from './rolling-restart.js';

// npm run cluster: three nodes and what goes wrong with them, at the hands of whoever types.

const UPSTREAM = new URL('../upstream/main.js', import.meta.url);
const { values } = parseArgs({ options: { 'rolling-restart': { type: 'boolean' } } });

async function boot(): Promise<void> {
  const rolling = values['rolling-restart'] === true;
  const upstream = Child.start('upstream', UPSTREAM, {
    UPSTREAM_PORT: '0',
    UPSTREAM_BLOCKED: demoKeys(BLOCKED_NAME).address,
  });
  let ensemble: Ensemble | undefined;
  const close = async (): Promise<void> => {
    await ensemble?.close();
    await upstream.stop();
  };
  closeOnSignal(close);
  const { path } = await dataDirectory(process.env['DATA_DIR']);
  await mkdir(path, { recursive: true });
  ensemble = await Ensemble.open({
    settings: {
      upstreamUrl: await upstream.listening(),
      allocations: DEMO_ALLOCATIONS,
      validator: demoKeys(FEE_COLLECTOR).address,
      blockInterval: 100,
    },
    directory: path,
    firstPort: rolling ? 0 : portFrom(process.env['PORT'], 3100, 'PORT'),
  });
  if (rolling) {
    const passed = await rollingRestart(ensemble, (line) => console.log(line));
    await close();
    process.exit(passed ? 0 : 1);
  }
  ensemble.listeners.push(({ on, of, from, to }) => {
    // Between these it is probed, again and again.
    if (from === 'closed' || to === 'closed') console.log(`${on}: breaker of ${of} is ${to}`);
  });
  console.log(await overview(ensemble));
  console.log(CLUSTER_GUIDE);
  const typed = createInterface({ input: process.stdin });
  // At the end of what is typed it stays: a signal, or quit, ends it.
  for await (const line of typed) console.log(await obey(ensemble, line));
}

boot().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
