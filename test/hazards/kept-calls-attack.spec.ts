// Calls of methods that have @Checkpoint and nothing else, while all of them wait for a save.
import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import {
  Checkpoint,
  type Checkpointable,
  CheckpointComponent,
  CheckpointService,
} from 'nestjs-bulwark';
import { settle } from '../../lib/testing/index.js';
import { boot, closeAll, deferred } from '../nest/support/app.js';
import { StagedStore } from '../unit/checkpoint/staged-store.js';

afterEach(closeAll);

const users = new AsyncLocalStorage<string>();

@Injectable()
@CheckpointComponent({ name: 'board', serial: false })
class Board implements Checkpointable {
  private calls = 0;

  @Checkpoint()
  async note(until?: Promise<void>): Promise<string> {
    this.calls += 1;
    const before = String(users.getStore());
    await until;
    return `${before} ${users.getStore()}`;
  }

  captureState(): unknown {
    return this.calls;
  }

  restoreState(state: unknown): void {
    this.calls = state as number;
  }
}

it('calls that wait until a state is saved run in the async contexts of their own callers', async () => {
  const { app } = await boot({
    providers: [Board],
    bulwark: { checkpoint: { store: new StagedStore() }, health: false },
  });
  const board = app.get(Board);
  const { promise, resolve } = deferred();
  const running = users.run('first', () => board.note(promise));
  const saved = app.get(CheckpointService).save();
  await settle();
  const calls = ['ada', 'bob', 'cyd'].map((user) => users.run(user, () => board.note()));
  await settle();
  resolve();
  await saved;
  await expect(running).resolves.toBe('first first');
  await expect(Promise.all(calls)).resolves.toEqual(['ada ada', 'bob bob', 'cyd cyd']);
});
