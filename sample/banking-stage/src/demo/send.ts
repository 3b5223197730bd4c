import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { RpcClient, RpcFailure } from '../client/rpc.client.js';
import { poll } from '../client/poll.js';
import { signPayment } from '../transaction/transaction.js';
import { DEMO_NAMES, demoKeys } from './accounts.js';

// Signs a demo transaction, sends it and waits until it is in a block.

const { values } = parseArgs({
  options: {
    from: { type: 'string', default: 'alice' },
    to: { type: 'string', default: 'bob' },
    amount: { type: 'string', default: '25' },
    node: { type: 'string', default: `http://127.0.0.1:${process.env['PORT'] ?? 3000}` },
  },
});
for (const name of [values.from, values.to]) {
  if (!DEMO_NAMES.includes(name)) {
    console.error(`there is no demo account ${name}: take one of ${DEMO_NAMES.join(', ')}`);
    process.exit(1);
  }
}
const amount = Number(values.amount);
if (!Number.isSafeInteger(amount)) {
  console.error(`--amount must be a whole number, not ${JSON.stringify(values.amount)}`);
  process.exit(1);
}

const transaction = signPayment(
  {
    to: demoKeys(values.to).address,
    amount,
    maxFee: 10_000,
    nonce: randomInt(2 ** 47),
  },
  demoKeys(values.from),
);
const request = { jsonrpc: '2.0', id: 1, method: 'sendTransaction', params: [transaction] };
console.log(`POST ${values.node}/rpc\n${JSON.stringify(request, null, 2)}\n`);

interface Confirmed {
  readonly status: string;
  readonly height: number;
}

try {
  const client = new RpcClient(values.node);
  const receipt = await client.call<{ id: string; fee: number }>('sendTransaction', transaction);
  console.log('accepted:', receipt);
  const { height } = await poll('a block with it', 10_000, async () => {
    const found = await client.call<Confirmed | null>('getTransaction', receipt.id);
    return found?.status === 'confirmed' ? found : undefined;
  });
  console.log(`in block ${height}`);
} catch (error) {
  if (error instanceof RpcFailure) console.error('refused:', error.answer);
  else console.error(`no answer from ${values.node}: is it running? (npm start)\n${String(error)}`);
  process.exitCode = 1;
}
