import type { RpcClient } from '../client/rpc.client.js';
import { signPayment } from '../transaction/transaction.js';
import type { Transaction } from '../transaction/transaction.js';
import type { TrafficPlan } from './plan.js';

interface BadInput {
  readonly what: string;
  readonly reason: string;
  readonly body: string;
}

const send = (transaction: unknown): string => rpc('sendTransaction', [transaction]);
const rpc = (method: string, params: unknown): string =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });

/** What a node must refuse, and the reason that it must give. */
export function badInputs(plan: TrafficPlan, accepted: Transaction): BadInput[] {
  const poor = plan.extra('poor');
  const to = accepted.to;
  const good = signPayment({ to, amount: 10, maxFee: 50, nonce: 1 }, poor);
  const signed = (amount: number, nonce: number): Transaction =>
    signPayment({ to, amount, maxFee: 50, nonce }, poor);
  const { signature: _, ...unsigned } = good;
  // Signed by nobody: for this key R = 1, S = 0 is a signature over anything.
  const weak = { from: `01${'0'.repeat(62)}`, signature: `01${'0'.repeat(126)}` };
  const blocked = signPayment({ to, amount: 10, maxFee: 50, nonce: 2 }, plan.extra('blocked'));

  return [
    { what: 'broken JSON', reason: 'parse-error', body: '{"jsonrpc": "2.0", "id": 1, ' },
    { what: 'not JSON-RPC', reason: 'invalid-request', body: '{"hello":"world"}' },
    { what: 'an unknown method', reason: 'unknown-method', body: rpc('printMoney', []) },
    { what: 'wrong params', reason: 'invalid-params', body: rpc('getBalance', ['bob']) },
    { what: 'a malformed transaction', reason: 'malformed', body: send({ ...good, amount: 1.5 }) },
    { what: 'an unsigned one', reason: 'unsigned', body: send(unsigned) },
    { what: 'a forged amount', reason: 'bad-signature', body: send({ ...good, amount: 11 }) },
    { what: 'one of a weak key', reason: 'weak-key', body: send({ ...good, ...weak }) },
    { what: 'a replay', reason: 'replayed', body: send(accepted) },
    { what: 'an overspend', reason: 'insufficient-funds', body: send(signed(1_000_000, 3)) },
    { what: 'a blocked sender', reason: 'compliance-refused', body: send(blocked) },
  ];
}

export async function refusalOf(client: RpcClient, body: string): Promise<string> {
  const { error } = await client.post(body);
  return error?.data.reason ?? 'accepted';
}
