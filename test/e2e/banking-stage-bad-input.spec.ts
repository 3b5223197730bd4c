import { Integrity } from '../../sample/banking-stage/src/integrity/integrity.js';
import { alice, bob, pay } from '../unit/sample/people.js';
import { eve, MILLION, PATIENCE, refusal, ServedWorld } from '../unit/sample/served-world.js';

let world: ServedWorld;

beforeAll(async () => {
  world = await ServedWorld.open();
}, PATIENCE);

afterEach(() => {
  expect(world.app.get(Integrity).all()).toEqual([]);
});

afterAll(() => world.close());

describe('a banking stage given bad input', () => {
  const accepted = pay(alice, bob, 10);
  const { signature: _, ...unsigned } = pay(alice, bob, 10);
  // Signed by nobody: for this key R = 1, S = 0 is a signature over anything.
  const weak = { from: `01${'0'.repeat(62)}`, signature: `01${'0'.repeat(126)}` };
  const call = (method: string, params: unknown): string =>
    JSON.stringify({ jsonrpc: '2.0', id: 7, method, params });
  const sending = (transaction: unknown): string => call('sendTransaction', [transaction]);

  beforeAll(async () => {
    await world.send(accepted);
    await world.drained();
  }, PATIENCE);

  it.each<[string, string, number, string, number | null]>([
    ['no body', '', -32_700, 'parse-error', null],
    ['broken JSON', '{"jsonrpc":', -32_700, 'parse-error', null],
    ['a bare value', '7', -32_600, 'invalid-request', null],
    ['an empty batch', '[]', -32_600, 'invalid-request', null],
    ['another version', '{"jsonrpc":"1.0","id":7}', -32_600, 'invalid-request', 7],
    ['an unknown method', call('printMoney', []), -32_601, 'unknown-method', 7],
    ['a method of Object', call('constructor', []), -32_601, 'unknown-method', 7],
    ['no transaction', call('sendTransaction', []), -32_602, 'invalid-params', 7],
    ['two transactions', call('sendTransaction', [1, 2]), -32_602, 'invalid-params', 7],
    ['a name for an address', call('getBalance', ['bob']), -32_602, 'invalid-params', 7],
    ['a height below zero', call('getBlock', [-1]), -32_602, 'invalid-params', 7],
    ['a transaction of text', sending('pay bob'), -32_001, 'malformed', 7],
    ['an empty transaction', sending({}), -32_001, 'malformed', 7],
    ['a negative amount', sending({ ...accepted, amount: -5 }), -32_001, 'malformed', 7],
    ['an unsigned one', sending(unsigned), -32_002, 'unsigned', 7],
    ['a forged one', sending({ ...accepted, amount: 11 }), -32_003, 'bad-signature', 7],
    ['one of a weak key', sending({ ...accepted, ...weak }), -32_011, 'weak-key', 7],
    ['a replay', sending(accepted), -32_004, 'replayed', 7],
    ['an overspend', sending(pay(alice, bob, 10 * MILLION)), -32_005, 'insufficient-funds', 7],
    ['a blocked sender', sending(pay(eve, bob, 10)), -32_007, 'compliance-refused', 7],
  ])('answers %s with its own error and stays as it was', async (_, body, code, reason, id) => {
    const before = await world.visibleState();

    expect(await world.rpc.post(body)).toEqual({
      jsonrpc: '2.0',
      id,
      error: { code, message: expect.any(String), data: expect.objectContaining({ reason }) },
    });

    expect(await world.visibleState()).toEqual(before);
  });

  it('accepts one of a batch that sends the same payment again and again', async () => {
    const one = pay(bob, alice, 7);
    const batch = Array.from({ length: 5 }, () => JSON.parse(sending(one)));

    const answers = (await world.rpc.post(JSON.stringify(batch))) as unknown as unknown[];
    await world.drained();

    expect(answers.filter((answer) => Object.hasOwn(answer as object, 'result'))).toHaveLength(1);
    expect(answers).toHaveLength(5);
  });

  it('names the fee where it is above what the sender signed', async () => {
    const sent = pay(alice, bob, 500, 5);

    expect(await refusal(world.send(sent))).toMatchObject({
      code: -32_006,
      data: { reason: 'fee-above-maximum', fee: 6, maxFee: 5 },
    });
  });

  it(
    'accepts only one of two payments that spend the same money at one moment',
    async () => {
      const both = [pay(alice, bob, 600_000, 10_000), pay(alice, bob, 600_000, 10_000)];

      const outcomes = await Promise.allSettled(both.map((one) => world.send(one)));

      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      await world.drained();
      expect(await world.rpc.call('getTransactionCount', alice.address)).toBe(2);
    },
    PATIENCE,
  );
});
