import type { DataDirectory } from '../process/data-directory.js';
import { BLOCKED_NAME, DEMO_NAMES, demoKeys } from './accounts.js';

/** What `npm start` prints: where things are, and what to type to see something happen. */
export function guide(nodeUrl: string, upstreamUrl: string, data: DataDirectory): string {
  const keys = DEMO_NAMES.map((name) => {
    const remark = name === BLOCKED_NAME ? '  (blocked by compliance)' : '';
    return `  ${name.padEnd(10)}${demoKeys(name).address}${remark}`;
  });
  const send = `node sample/banking-stage/dist/demo/send.js --node ${nodeUrl}`;
  const kept = data.named
    ? 'kept: the next start with it goes on from here'
    : 'of this run only; DATA_DIR=<directory> npm start keeps it';
  const recovery = (method: string, route: string): string =>
    `curl -s -X ${method} ${nodeUrl}/recovery/${route} -H "authorization: Bearer $RECOVERY_TOKEN"`;
  return `
banking stage       ${nodeUrl}/rpc   (JSON-RPC 2.0)
health              ${nodeUrl}/health
recovery            ${nodeUrl}/recovery   (with the token that is logged above on a terminal, or RECOVERY_TOKEN=<32 characters or more> npm start)
fees and compliance ${upstreamUrl}
data                ${data.path}   (${kept})

Demo accounts (their keys are made from their names, so anyone can sign for them):
${keys.join('\n')}

Send a transaction, look at its block, and at the health:
  ${send} --from alice --to bob --amount 25
  curl -s ${nodeUrl}/rpc -H 'content-type: application/json' -d '{"jsonrpc":"2.0","id":1,"method":"getBlock","params":["latest"]}'
  curl -s ${nodeUrl}/health

Take the upstream away (refuse, hang or error), send a few more, look at the health again, bring it back:
  curl -s -X PUT ${upstreamUrl}/dials -d '{"outage":"refuse"}'
  curl -s -X PUT ${upstreamUrl}/dials -d '{"outage":"none"}'

Look after it, with its token in $RECOVERY_TOKEN: is all well, is the chain sound, make a backup, and what was done:
  ${recovery('GET', 'status')}
  ${recovery('POST', 'corruption/check')}
  ${recovery('POST', 'backup/create')}
  ${recovery('GET', 'actions')}

Ctrl+C ends it.
`;
}
