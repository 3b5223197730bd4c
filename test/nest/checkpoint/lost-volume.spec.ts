// An application whose volume goes away: it answers reads, refuses calls, and says so; nothing is applied twice.
import { mkdirSync, mkdtempSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  Checkpoint,
  CheckpointComponent,
  Durable,
  DurableMap,
  ResilienceHealthIndicator,
  ResilienceModule,
} from 'nestjs-bulwark';

const root = mkdtempSync(join(tmpdir(), 'bulwark-volume-'));
afterAll(() => rmSync(root, { recursive: true }));

@Injectable()
@CheckpointComponent({ name: 'ledger' })
class Ledger {
  @Durable() readonly balances = new DurableMap<string, number>([['mint', 100]]);

  @Checkpoint({ idempotencyKey: (id: string) => id })
  async add(_id: string, amount: number): Promise<number> {
    return this.balances.update('ada', (balance) => (balance ?? 0) + amount);
  }
}

test('the state stays, calls are refused, and it goes on when the volume is back', async () => {
  const directory = join(root, 'store');
  const module = await Test.createTestingModule({
    imports: [ResilienceModule.forRoot({ checkpoint: { directory } })],
    providers: [Ledger],
  }).compile();
  module.useLogger(false);
  const app = await module.init();
  const ledger = app.get(Ledger);
  await ledger.add('first', 10);
  renameSync(directory, `${directory}-away`);
  mkdirSync(directory);

  let refused: unknown;
  while (refused === undefined) {
    expect(
      (await ledger.add('first', 10).catch((error: unknown) => void (refused = error))) ?? 10,
    ).toBe(10);
    await pause(200);
  }
  await pause(1_500); // it has tried to open again
  await expect(ledger.add('first', 10)).rejects.toMatchObject({ code: 'CHECKPOINT_UNAVAILABLE' });
  expect([...ledger.balances]).toEqual([
    ['mint', 100],
    ['ada', 10],
  ]);
  expect(JSON.stringify(await app.get(ResilienceHealthIndicator).checkpoints())).toContain(
    'degraded',
  );

  rmdirSync(directory);
  renameSync(`${directory}-away`, directory);
  let answer: number | undefined;
  while (answer === undefined) {
    answer = await ledger.add('second', 1).catch(() => undefined);
    await pause(200);
  }
  expect(answer).toBe(11);
  await app.close();
});
