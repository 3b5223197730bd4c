import { announce } from '../process/announcement.js';
import { endFailed } from '../process/end-failed.js';
import { closeOnSignal } from '../process/lifetime.js';
import { explained, listen, portFrom } from '../process/listening.js';
import { createUpstream } from './upstream.server.js';

const VARIABLE = 'UPSTREAM_PORT';

try {
  const port = portFrom(process.env[VARIABLE], 3001, VARIABLE);
  const server = createUpstream({
    seed: Number(process.env['UPSTREAM_SEED'] ?? 1),
    dials: { blocked: (process.env['UPSTREAM_BLOCKED'] ?? '').split(',').filter(Boolean) },
  });
  const url = await listen(server, port).catch((error: unknown) => {
    throw explained(error, port, VARIABLE);
  });
  closeOnSignal(async () => {
    server.closeAllConnections();
    server.close();
  });
  announce({ type: 'listening', url });
  console.log(`fees and compliance on ${url}`);
} catch (error) {
  endFailed(error);
}
