import { randomInt } from 'node:crypto';
import { RpcFailure } from '../client/rpc.client.js';
import { demoKeys } from '../demo/accounts.js';
import { signPayment } from '../transaction/transaction.js';
import type { Ensemble } from './ensemble.js';

export const CLUSTER_GUIDE = `
Type one of these and Enter; N is 1, 2 or 3:
  send N     alice pays bob 25, by way of node N: answered when a majority has the block on disk
  kill N     kill -9           start N    over its own directory again
  freeze N   SIGSTOP           thaw N     SIGCONT
  cut N      no node hears it  heal N
  status     who is where      quit       (or Ctrl+C)

Try: kill 1, watch two breakers open, send 2, start 1, status. Or: cut 3, send 3 (read-only), heal 3.
`;

/** How long a frozen or dead node is waited for, milliseconds. */
const LOOK_MS = 1_000;

/** Does what was typed; answers what came of it. */
export async function obey(ensemble: Ensemble, line: string): Promise<string> {
  const [verb = '', number = ''] = line.trim().split(/\s+/);
  const name = `node${number}`;
  const isNode = ensemble.names.includes(name);
  try {
    if (verb === 'status') return await overview(ensemble);
    if (verb === 'quit') {
      process.kill(process.pid, 'SIGTERM');
      return 'closing';
    }
    if (verb === '') return '';
    if (!isNode) return CLUSTER_GUIDE;
    return await act(ensemble, verb, name);
  } catch (error) {
    if (error instanceof RpcFailure) return `refused: ${JSON.stringify(error.answer)}`;
    return error instanceof Error ? error.message : String(error);
  }
}

async function act(ensemble: Ensemble, verb: string, name: string): Promise<string> {
  switch (verb) {
    case 'send':
      return JSON.stringify(await ensemble.rpc(name).call('sendTransaction', payment()));
    case 'kill':
      await ensemble.kill(name);
      return `${name} is dead`;
    case 'start':
      if (ensemble.isRunning(name)) return `${name} runs`;
      return `${name} serves after ${(await ensemble.start(name)).toFixed(0)} ms`;
    case 'freeze':
      ensemble.freeze(name);
      return `${name} is frozen`;
    case 'thaw':
      ensemble.thaw(name);
      return `${name} goes on`;
    case 'cut':
      ensemble.cut(name);
      return `${name} is cut off`;
    case 'heal':
      ensemble.heal(name);
      return `${name} is connected`;
    default:
      return CLUSTER_GUIDE;
  }
}

export async function overview(ensemble: Ensemble): Promise<string> {
  const lines = ensemble.names.map(async (name) => {
    const seen = await ensemble
      .rpc(name, LOOK_MS)
      .call('getHealth')
      .then((health) => JSON.stringify(health))
      .catch(() => 'does not answer');
    return `${name}  ${ensemble.urlOf(name)}/rpc  pid ${ensemble.pidOf(name)}  ${seen}`;
  });
  return (await Promise.all(lines)).join('\n');
}

function payment() {
  const to = demoKeys('bob').address;
  return signPayment({ to, amount: 25, maxFee: 100, nonce: randomInt(2 ** 47) }, demoKeys('alice'));
}
