import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { RecoveryManager } from 'nestjs-bulwark';
import { BankingStage } from '../../sample/banking-stage/src/banking/banking-stage.js';
import type { Block } from '../../sample/banking-stage/src/chain/block.js';
import { Chain } from '../../sample/banking-stage/src/chain/chain.js';
import { poll } from '../../sample/banking-stage/src/client/poll.js';
import { Integrity } from '../../sample/banking-stage/src/integrity/integrity.js';
import { Ledger } from '../../sample/banking-stage/src/ledger/ledger.js';
import { Mempool } from '../../sample/banking-stage/src/mempool/mempool.js';
import type { NodeSettings } from '../../sample/banking-stage/src/settings.js';
import { rotInTheMiddle } from '../support/rot.js';
import { roomsOf } from '../unit/sample/integrity/corruptions.js';
import { alice, bob, pay } from '../unit/sample/people.js';
import { DEADLINE, eve, PATIENCE, refusal, ServedWorld } from '../unit/sample/served-world.js';

const TOKEN = randomBytes(32).toString('hex');
let world: ServedWorld;

/** Without the twin that would object to a memory that is spoiled here on purpose. */
async function begin(overrides: Partial<NodeSettings> = {}): Promise<void> {
  world = await ServedWorld.open({ verify: false, recoveryToken: TOKEN, ...overrides });
}

afterEach(() => world.close());

type Answer = Readonly<Record<string, unknown>>;

/** As an operator asks: over HTTP, with the token. */
async function recovery(route: string, body?: object): Promise<Answer> {
  const response = await fetch(`${world.nodeUrl}/recovery/${route}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return (await response.json()) as Answer;
}

async function status(): Promise<Answer> {
  return (await recovery('status'))['recovery_status'] as Answer;
}

async function checksThatObject(): Promise<string[]> {
  const { issues } = await recovery('corruption/check', {});
  return [...new Set((issues as { check: string }[]).map(({ check }) => check))];
}

async function actions(): Promise<string[]> {
  const done = (await recovery('actions'))['actions'] as { type: string; status: string }[];
  return done.map((action) => `${action.type} ${action.status}`);
}

function rooms() {
  const { app } = world;
  return roomsOf({ chain: app.get(Chain), ledger: app.get(Ledger), mempool: app.get(Mempool) });
}

/** Payments that are in blocks; their ids. */
async function paid(count: number): Promise<string[]> {
  const receipts = [];
  for (let n = 0; n < count; n++) receipts.push(await world.send(pay(alice, bob, 10, 100)));
  await world.drained();
  return receipts.map(({ id }) => id);
}

async function statusOf(id: string): Promise<unknown> {
  return (await world.rpc.call<{ status: string } | null>('getTransaction', id))?.status;
}

async function expectSound(ids: readonly string[]): Promise<void> {
  await world.drained();
  for (const id of ids) expect([id, await statusOf(id)]).toEqual([id, 'confirmed']);
  expect(world.app.get(Integrity).all()).toEqual([]);
  expect(await checksThatObject()).toEqual([]);
}

describe('scenario 1: corruption', () => {
  it(
    'of the ledger in memory is found, named and mended, and every payment is there',
    async () => {
      await begin();
      const ids = await paid(6);
      const [id, coin] = [...rooms().outputs][0] as [string, { amount: number }];
      rooms().outputs.set(id, { ...coin, amount: coin.amount + 1_000_000 });
      rooms().blocks.reverse();

      expect(await checksThatObject()).toEqual(
        expect.arrayContaining(['chain-continuity', 'supply']),
      );
      expect(await status()).toMatchObject({ state: 'critical' });
      const preview = await recovery('corruption/fix', { force_rollback: false, dry_run: true });
      const fixed = await recovery('corruption/fix', { force_rollback: false });

      expect(fixed).toMatchObject({ success: true, result: 'fixed', lost_calls: 0 });
      expect(fixed['steps']).toEqual(preview['steps']);
      await expectSound([...ids, ...(await paid(1))]);
      expect((await status())['state']).toBe('healthy');
      expect(await actions()).toContain('corruption_recovery success');
      const { backups } = (await recovery('backups')) as { backups: { name: string }[] };
      expect(backups.map(({ name }) => name)).toContain(fixed['quarantine']);
    },
    PATIENCE,
  );

  it(
    'that payments went on with is rolled back by force only, and no receipt is broken',
    async () => {
      await begin();
      const ids = await paid(3);
      rooms().reserved.set(alice.address, 77);
      rooms().places.delete(ids[1]!);
      const more = await paid(2);

      const refused = await recovery('corruption/fix', { force_rollback: false });
      expect(refused).toMatchObject({ result: 'refused' });
      const forced = await recovery('corruption/fix', { force_rollback: true });

      expect(forced).toMatchObject({ success: true, result: 'fixed' });
      expect(forced['lost_calls']).toBeGreaterThan(0);
      await expectSound([...ids, ...more]);
    },
    PATIENCE,
  );

  it(
    'of a file is found and mended while the node runs, and nothing of it is left to the next start',
    async () => {
      await begin();
      const ids = await paid(3);
      const { name } = await recovery('backup/create', { name: 'before' });
      expect(name).toBe('before');
      await rotInTheMiddle(await newest(/^s-.*-chain$/));

      expect(await checksThatObject()).toEqual(['store']);
      expect(await recovery('corruption/fix', { force_rollback: false })).toMatchObject({
        ...{ success: true, result: 'fixed', lost_calls: 0 },
      });

      await expectSound([...ids, ...(await paid(1))]);
    },
    PATIENCE,
  );

  it(
    'before a backup is undone by the backup, without a receipt being broken',
    async () => {
      await begin();
      const ids = await paid(2);
      await recovery('backup/create', { name: 'early' });
      ids.push(...(await paid(2)));

      const restored = await recovery('backup/restore', { backup_name: 'early' });

      expect(restored).toMatchObject({ success: true, chain_height: expect.any(Number) });
      await expectSound(ids);
    },
    PATIENCE,
  );
});

describe('scenario 2: the network is cut', () => {
  it(
    'local operation goes on, degraded, and compliance is caught up with when it is back',
    async () => {
      await begin();
      await world.turn({ outage: 'refuse' });

      expect(await recovery('network/reconnect', {})).toMatchObject({
        reconnected: false,
        is_degraded: true,
      });
      expect(await status()).toMatchObject({ state: 'degraded', partitions: ['upstream'] });
      const [fine, suspect] = await Promise.all(
        [alice, eve].map((from) =>
          poll('a provisional quote', DEADLINE, () =>
            world.send(pay(from, bob, 10, 100)).catch(() => undefined),
          ),
        ),
      );
      expect(fine!.verdict).toBe('provisional');
      await world.turn({ outage: 'none' });
      await poll('the connection', DEADLINE, async () =>
        ((await status())['partitions'] as string[]).length === 0 ? true : undefined,
      );

      // Compliance has been asked about both by now: it would have refused eve's.
      await poll('the review', DEADLINE, () =>
        world.app.get(BankingStage).unreviewed.length === 0 ? true : undefined,
      );
      const seen = (id: string) => world.rpc.call<{ flagged?: true }>('getTransaction', id);
      expect((await seen(suspect!.id)).flagged).toBe(true);
      expect((await seen(fine!.id)).flagged).toBeUndefined();
      await expectSound([fine!.id, suspect!.id]);
    },
    PATIENCE,
  );
});

describe('scenario 2, when no operator is there', () => {
  it(
    'the breaker notices that the upstream is away, and everything is caught up with',
    async () => {
      await begin();
      await world.turn({ outage: 'refuse' });
      const suspect = await poll('a provisional quote', DEADLINE, () =>
        world.send(pay(eve, bob, 10, 100)).catch(() => undefined),
      );
      await poll('an open breaker', DEADLINE, async () => {
        await world.send(pay(alice, bob, 1, 100)).catch(() => undefined);
        const { partitions } = await status();
        return (partitions as string[]).includes('upstream') || undefined;
      });
      expect(await actions()).toContain('network_partition failed');

      await world.turn({ outage: 'none' });
      await poll('the review', DEADLINE, async () => {
        await world.send(pay(alice, bob, 1, 100)).catch(() => undefined);
        const { partitions } = await status();
        const isDone = world.app.get(BankingStage).unreviewed.length === 0;
        return (isDone && (partitions as string[]).length === 0) || undefined;
      });

      const { id } = suspect;
      expect(await world.rpc.call('getTransaction', id)).toMatchObject({ flagged: true });
      await expectSound([id]);
    },
    PATIENCE,
  );
});

describe('scenario 3: an invalid block', () => {
  it(
    'is rejected, does no harm, and is answered with the valid one',
    async () => {
      await begin();
      const ids = await paid(2);
      const own = await world.rpc.call<Block>('getBlock', 1);

      const report = await world.app
        .get(RecoveryManager)
        .handleInvalidBlock({ ...own, validator: eve.address });

      expect(report).toMatchObject({ rejected: true, isCorrupted: false, problems: [] });
      expect(JSON.parse(JSON.stringify(report.replacement))).toEqual(
        JSON.parse(JSON.stringify(own)),
      );
      expect(await actions()).toContain('invalid_block success');
      await expectSound(ids);
    },
    PATIENCE,
  );

  it(
    'that got in is found in the chain, and the chain is mended',
    async () => {
      await begin();
      const ids = await paid(2);
      const own = rooms().blocks[1]!;
      rooms().blocks[1] = { ...own, validator: eve.address };

      const report = await world.app.get(RecoveryManager).handleInvalidBlock(rooms().blocks[1]);

      expect(report).toMatchObject({ isCorrupted: true, corruption: { result: 'fixed' } });
      expect(report.replacement).toEqual(own);
      await expectSound(ids);
    },
    PATIENCE,
  );
});

describe('scenario 4: a storm of failures', () => {
  it(
    'opens the breaker and stays there: the node answers, and nothing acknowledged is lost',
    async () => {
      await begin();
      await world.turn({ outage: 'error' });
      const storm = Array.from({ length: 200 }, (_, n) =>
        world.send(pay(n % 2 === 0 ? alice : bob, eve, 1, 100)).then(
          ({ id }) => id,
          () => undefined,
        ),
      );
      await poll('an open breaker', DEADLINE, async () => {
        const { circuit_breakers: all } = await status();
        return (all as Record<string, string>)['FeesClient.quote'] === 'open' ? true : undefined;
      });
      expect((await fetch(`${world.nodeUrl}/health/live`)).status).toBe(200);
      const ids = (await Promise.all(storm)).filter((id) => id !== undefined);
      expect((await recovery('errors'))['count']).toBeGreaterThan(0);

      await world.turn({ outage: 'none' });
      await recovery('circuit-breakers/FeesClient.quote/reset', {});

      const after = await world.send(pay(alice, bob, 50_000, 1_000));
      expect(after.verdict).toBe('cleared');
      await expectSound([...ids, after.id]);
    },
    PATIENCE,
  );
});

describe('scenario 5: the mempool is exhausted', () => {
  it(
    'new payments are refused for a while, old ones expire as their receipts say, and then it goes on',
    async () => {
      await begin({
        ...{ blockInterval: 3_600_000, maxPending: 20, resumePending: 10, pendingFor: 1_500 },
      });
      const receipts = [];
      for (let n = 0; n < 20; n++) receipts.push(await world.send(pay(alice, bob, 1, 100)));
      const refused = await refusal(world.send(pay(alice, bob, 1, 100)));
      expect(refused.data).toMatchObject({ reason: 'mempool-full', pending: 20, resumesAt: 10 });

      const last = Math.max(...receipts.map(({ validUntil }) => validUntil));
      await poll('the end of their time', DEADLINE, () => Date.now() > last || undefined);
      await world.app.get(BankingStage).produceBlock(Date.now());

      expect(new Set(await Promise.all(receipts.map(({ id }) => statusOf(id))))).toEqual(
        new Set(['expired']),
      );
      const next = await world.send(pay(alice, bob, 1, 100));
      await world.app.get(BankingStage).produceBlock(Date.now());
      await expectSound([next.id]);
    },
    PATIENCE,
  );
});

async function newest(pattern: RegExp): Promise<string> {
  const names = (await readdir(world.dataDirectory)).filter((name) => pattern.test(name));
  return join(world.dataDirectory, names.toSorted().at(-1)!);
}
