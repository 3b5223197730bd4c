import { CheckpointService, RecoveryManager, ResilienceService } from 'nestjs-bulwark';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Integrity } from '../integrity/integrity.js';
import { announce } from '../process/announcement.js';
import { endFailed } from '../process/end-failed.js';
import { closeOnSignal } from '../process/lifetime.js';
import { HOST, urlOf } from '../process/listening.js';
import type { NodeSettings } from '../settings.js';
import { createNode } from './create-node.js';

// One node as a process of its own: settings come in as JSON, where it listens goes out by IPC.

try {
  await run(JSON.parse(process.env['NODE_SETTINGS'] ?? '') as NodeSettings);
} catch (error) {
  endFailed(error);
}

async function run(settings: NodeSettings): Promise<void> {
  const app = await createNode(settings);
  app.get(ResilienceService).events$.subscribe((event) => {
    if (event.type !== 'circuit-state-changed') return;
    const { target: name, from, to, reason, key } = event;
    announce({ type: 'breaker', name, from, to, reason, ...(key !== undefined && { key }) });
  });
  // The only thing that is ever said to a node by IPC: look at yourself.
  process.on('message', () => void examine(app));
  const recovery = app.get(RecoveryManager);
  recovery.attach(app, { signals: false });
  closeOnSignal(() => recovery.gracefulShutdown('the process was told to end'));
  // Or a node that was ended over HTTP would wait for its parent to say something.
  process.channel?.unref();

  await app.listen(Number(process.env['NODE_PORT'] ?? 0), HOST);
  announce({ type: 'listening', url: urlOf(app.getHttpServer()) });
}

/** What is wrong with its state, and with what it has on disk. */
async function examine(app: NestExpressApplication): Promise<void> {
  const issues = app.get(Integrity).all();
  const { findings } = await app.get(CheckpointService).verify();
  announce({
    type: 'examined',
    problems: [
      ...issues.map(({ check, at, problem }) => `${check}: ${at}: ${problem}`),
      ...findings.map((finding) => JSON.stringify(finding)),
    ],
  });
}
