import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import {
  Checkpoint,
  CheckpointComponent,
  Durable,
  DurableMap,
  IntegrityCheck,
  RecoveryManager,
} from '../../lib/index.js';
import { boot, closeAll } from '../nest/support/app.js';

@Injectable()
@CheckpointComponent({ name: 'shop' })
class Shop {
  @Durable() readonly stock = new DurableMap<string, number>([['apple', 10]]);
  hangs = (): void => {};
  private rounds = 0;

  @Checkpoint()
  async sell(amount: number): Promise<number> {
    return this.stock.update('apple', (left) => (left ?? 0) - amount);
  }

  @IntegrityCheck('stock')
  async *notOwed(): AsyncGenerator<string> {
    this.rounds += 1;
    if (this.rounds === 1) yield 'something is wrong';
    else await new Promise(() => this.hangs());
  }
}

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bulwark-closing-'));
});
afterEach(async () => {
  await closeAll();
  await rm(directory, { recursive: true });
});

test('an application that ends while a backup is looked at does not wait for the checks, and is saved', async () => {
  const { app } = await boot({
    bulwark: { checkpoint: { directory, verify: false } },
    providers: [Shop],
  });
  const shop = app.get(Shop);
  await shop.sell(1);
  const isHanging = new Promise<void>((resolve) => (shop.hangs = resolve));
  const handling = app.get(RecoveryManager).handleCorruption(true);
  const told = expect(handling).rejects.toMatchObject({ code: 'RECOVERY_ABORTED' });
  await isHanging;

  await app.close();

  await told;
});
