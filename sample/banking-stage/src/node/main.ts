import { ResilienceService } from 'nestjs-bulwark';
import { announce } from '../process/announcement.js';
import { closeOnSignal } from '../process/lifetime.js';
import { HOST, urlOf } from '../process/listening.js';
import type { NodeSettings } from '../settings.js';
import { createNode } from './create-node.js';

// One node as a process of its own: settings come in as JSON, where it listens goes out by IPC.

const settings = JSON.parse(process.env['NODE_SETTINGS'] ?? '') as NodeSettings;
const app = await createNode(settings);

app.get(ResilienceService).events$.subscribe((event) => {
  if (event.type !== 'circuit-state-changed') return;
  const { target: name, from, to, reason } = event;
  announce({ type: 'breaker', name, from, to, reason });
});
closeOnSignal(() => app.close());

await app.listen(0, HOST);
announce({ type: 'listening', url: urlOf(app.getHttpServer()) });
