import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import {
  Checkpoint,
  type CheckpointConfig,
  CheckpointComponent,
  CheckpointService,
  Durable,
  DurableMap,
  ResilienceModule,
} from 'nestjs-bulwark';
import { MemoryCheckpointStore } from 'nestjs-bulwark/testing';

@Injectable()
@CheckpointComponent({ name: 'vault' })
class Vault {
  @Durable() readonly secrets = new DurableMap<string, string>();

  @Checkpoint()
  async keep(name: string, secret: string): Promise<void> {
    this.secrets.set(name, secret);
  }
}

let directory: string;
const apps: TestingModule[] = [];

async function start(config: CheckpointConfig): Promise<TestingModule> {
  const app = await Test.createTestingModule({
    imports: [ResilienceModule.forRoot({ checkpoint: { verify: true, ...config }, health: false })],
    providers: [Vault],
  }).compile();
  apps.push(app);
  return app.init();
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bulwark-vault-'));
});

afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
  await rm(directory, { recursive: true });
});

it('#124 keeps a secret, and starts with its key alone', async () => {
  const encryptionKey = Buffer.alloc(32, 1);
  const app = await start({ directory, encryptionKey });
  await app.get(Vault).keep('pin', 'four digits');
  await apps.pop()!.close();
  for (const name of await readdir(directory)) {
    expect((await readFile(join(directory, name))).includes('four digits')).toBe(false);
  }

  const wrong = Buffer.alloc(32, 2);
  await expect(start({ directory, encryptionKey: wrong })).rejects.toMatchObject({
    code: 'CHECKPOINT_KEY',
  });
  await expect(start({ directory })).rejects.toMatchObject({ code: 'CHECKPOINT_KEY' });
  const again = await start({ directory, encryptionKey: [wrong, encryptionKey] });
  expect(again.get(Vault).secrets.get('pin')).toBe('four digits');
});

it('#123 a named checkpoint that would take too much room answers with 507', async () => {
  const app = await start({ directory, maxBytes: 3_000, retain: 2 });
  await app.get(Vault).keep('pin', 'x'.repeat(5_000));
  await expect(app.get(CheckpointService).create('large')).rejects.toMatchObject({
    code: 'CHECKPOINT_QUOTA',
    status: 507,
    allowed: 3_000,
  });
});

it('keys are checked at boot, and not shown', async () => {
  const bad = {
    directory,
    integrityKey: 'a secret' as never,
    encryptionKey: [Buffer.from('a secret')],
    maxBytes: 0,
  };
  const error: unknown = await start(bad).catch((error: unknown) => error);
  expect(String(error)).toContain('maxBytes: got 0, expected');
  await expect(start({ ...bad, maxBytes: 1 })).rejects.toThrow(
    /integrityKey: got a string, expected 32 bytes.*\n.*encryptionKey: got 8 bytes, expected 32 bytes/,
  );
  expect(String(await start({ ...bad, maxBytes: 1 }).catch(String))).not.toContain('a secret');
  await expect(
    start({ store: new MemoryCheckpointStore(), encryptionKey: Buffer.alloc(32), retain: 1 }),
  ).rejects.toThrow(/retain: given beside a store.*\n.*encryptionKey: given beside a store/);
});
