import { Injectable, Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import {
  Checkpoint,
  CheckpointComponent,
  Durable,
  DurableMap,
  ResilienceModule,
  Retry,
} from '../../../lib/index.js';
import { MemoryCheckpointStore } from '../../../lib/testing/index.js';

@Injectable()
@CheckpointComponent({ name: 'ledger' })
class Ledger {
  @Durable() readonly moves = new DurableMap<string, number>();

  @Checkpoint({ idempotencyKey: (id: string) => id })
  async move(id: string): Promise<number> {
    return this.moves.update(id, (times) => (times ?? 0) + 1);
  }
}

/** A class of the same name that has nothing to do with it. */
function namesake(): new () => object {
  @Injectable()
  class Ledger {
    @Retry({ maxAttempts: 2 })
    async move(): Promise<void> {}
  }
  return Ledger;
}

@Module({ providers: [Ledger] })
class Bank {}

@Module({ providers: [namesake()] })
class Accounting {}

async function start(
  store: MemoryCheckpointStore,
  modules: (new () => object)[],
): Promise<TestingModule> {
  const app = await Test.createTestingModule({
    imports: [ResilienceModule.forRoot({ checkpoint: { store, verify: true } }), ...modules],
  }).compile();
  await app.init();
  return app;
}

it('a call is known by its key though another class took the name of its own meanwhile, or gave it back', async () => {
  const store = new MemoryCheckpointStore();
  for (const modules of [[Bank], [Bank, Accounting], [Bank]]) {
    const app = await start(store, modules);
    const ledger = app.get(Ledger, { strict: false });
    expect(await ledger.move('first')).toBe(1);
    expect(await ledger.move(`with ${modules.length} modules`)).toBe(1);
    await app.close();
  }
});
