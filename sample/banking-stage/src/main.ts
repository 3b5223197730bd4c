import { RecoveryManager } from 'nestjs-bulwark';
import { BLOCKED_NAME, DEMO_ALLOCATIONS, demoKeys, FEE_COLLECTOR } from './demo/accounts.js';
import { guide } from './demo/guide.js';
import { createNode } from './node/create-node.js';
import { Child } from './process/child.js';
import { dataDirectory } from './process/data-directory.js';
import { closeOnSignal } from './process/lifetime.js';
import { explained, HOST, portFrom, urlOf } from './process/listening.js';
import { SETTINGS_DEFAULTS } from './settings.js';

async function boot(): Promise<void> {
  const port = portFrom(process.env['PORT'], 3000, 'PORT');
  const upstream = Child.start('upstream', new URL('./upstream/main.js', import.meta.url), {
    UPSTREAM_BLOCKED: demoKeys(BLOCKED_NAME).address,
  });
  let stop = (): Promise<void> => upstream.stop();
  closeOnSignal(() => stop());

  const upstreamUrl = await upstream.listening();
  const recoveryToken = process.env['RECOVERY_TOKEN'];
  const data = await dataDirectory(process.env['DATA_DIR']);
  const app = await createNode({
    ...SETTINGS_DEFAULTS,
    upstreamUrl,
    dataDirectory: data.path,
    allocations: DEMO_ALLOCATIONS,
    validator: demoKeys(FEE_COLLECTOR).address,
    ...(recoveryToken !== undefined && { recoveryToken }),
  });
  const recovery = app.get(RecoveryManager);
  // Ended over HTTP, it takes the upstream along as well.
  const exit = (code: number): void => void upstream.stop().finally(() => process.exit(code));
  recovery.attach(app, { signals: false, exit });
  let stopping = false;
  stop = async () => {
    stopping = true;
    // Payments on their way need the upstream still.
    await recovery.gracefulShutdown('the process was told to end');
    await upstream.stop();
  };
  upstream.onExit(() => {
    if (!stopping) console.log('\nThe upstream process is gone; the node goes on without it.\n');
  });

  await app.listen(port, HOST).catch((error: unknown) => {
    throw explained(error, port, 'PORT');
  });
  console.log(guide(urlOf(app.getHttpServer()), upstreamUrl, data));
}

boot().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
