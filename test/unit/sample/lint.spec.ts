import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ResilienceService } from 'nestjs-bulwark';
import { createNode } from '../../../sample/banking-stage/src/node/create-node.js';
import { SETTINGS_DEFAULTS } from '../../../sample/banking-stage/src/settings.js';
import { alice, validator } from './people.js';

it('the node starts without a word from the lint', async () => {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'banking-stage-test-'));
  const settings = {
    ...SETTINGS_DEFAULTS,
    upstreamUrl: 'http://127.0.0.1:1',
    dataDirectory,
    allocations: [{ owner: alice.address, amount: 1 }],
    validator: validator.address,
  };
  const app = await createNode(settings, { logger: false });
  await app.init();

  expect(app.get(ResilienceService).lint).toEqual([]);
  await app.close();
  await rm(dataDirectory, { recursive: true });
});
