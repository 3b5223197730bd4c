import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { Logger } from '@nestjs/common';
import {
  BulkheadFullError,
  CallTimeoutError,
  CheckpointError,
  CheckpointUnavailableError,
  CommitUnknownError,
} from 'nestjs-bulwark';
import { MAX_BATCH } from '../../../../sample/banking-stage/src/rpc/json-rpc.js';
import { SETTINGS_DEFAULTS } from '../../../../sample/banking-stage/src/settings.js';
import type { NodeSettings } from '../../../../sample/banking-stage/src/settings.js';
import { RpcController } from '../../../../sample/banking-stage/src/rpc/rpc.controller.js';
import { ClientLimit } from '../../../../sample/banking-stage/src/rpc/client-limit.js';
import type { RpcMethods } from '../../../../sample/banking-stage/src/rpc/rpc.methods.js';

const REQUEST = '{"jsonrpc":"2.0","id":1,"method":"m"}';

/** A controller over a method that ends as told. */
async function post(call: () => Promise<unknown>, body = REQUEST) {
  const response = {
    code: 200,
    status: (code: number) => (response.code = code),
    setHeader: () => undefined,
  };
  const request = Object.assign(Readable.from([Buffer.from(body)]), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
  }) as unknown as IncomingMessage;
  const limit = new ClientLimit(SETTINGS_DEFAULTS as unknown as NodeSettings);
  const controller = new RpcController({ call } as unknown as RpcMethods, limit);
  return { answer: await controller.post(request, response), code: response.code };
}

describe('the RPC controller', () => {
  beforeEach(() => Logger.overrideLogger(false));
  afterEach(() => Logger.overrideLogger(['log', 'error', 'warn']));

  it.each([
    ['BULKHEAD_FULL', new BulkheadFullError('BankingStage.submit', 32, 512)],
    ['CALL_TIMEOUT', new CallTimeoutError('time-limit', 'RpcMethods.call', 8_000, true)],
  ])('says of a refusal by %s that the node is busy', async (code, error) => {
    const { answer } = await post(() => Promise.reject(error));

    expect(answer).toMatchObject({
      id: 1,
      error: { code: -32_010, data: { reason: 'overloaded', refusedBy: code } },
    });
  });

  it.each([
    new CheckpointUnavailableError('BankingStage.accept', 'the store is fenced'),
    new CommitUnknownError('BankingStage.accept', new Error('EIO: /secret/place')),
    new CheckpointError('CHECKPOINT_FENCED', 'a sync failed in /secret/place'),
  ])('says of a store that takes nothing to send it again: $name', async (error) => {
    const { answer } = await post(() => Promise.reject(error));

    expect(answer).toMatchObject({
      id: 1,
      error: { code: -32_012, data: { reason: 'storage-unavailable' } },
    });
    expect(JSON.stringify(answer)).not.toContain('secret');
  });

  it('keeps to itself what went wrong inside', async () => {
    const { answer } = await post(() => Promise.reject(new Error('the key is hunter2')));

    expect(JSON.stringify(answer)).not.toContain('hunter2');
    expect(answer).toMatchObject({ id: 1, error: { code: -32_603 } });
  });

  it('has an answer for something thrown that is no error', async () => {
    const { answer } = await post(() => Promise.reject(undefined as never));

    expect(answer).toMatchObject({ id: 1, error: { code: -32_603 } });
  });

  it.each([
    ['succeeds', () => Promise.resolve(1)],
    ['fails', () => Promise.reject(new Error('no'))],
  ])('answers nothing to a notification that %s', async (_, call) => {
    const { answer, code } = await post(call, '{"jsonrpc":"2.0","method":"m"}');

    expect(answer).toBeUndefined();
    expect(code).toBe(204);
  });

  it('answers each request of a batch that wants an answer', async () => {
    const batch = `[${REQUEST},{"jsonrpc":"2.0","method":"m"},7,{"id":9},[],null]`;
    const { answer, code } = await post(() => Promise.resolve('yes'), batch);

    const invalid = { code: -32_600, data: { reason: 'invalid-request' } };
    expect(code).toBe(200);
    expect(answer).toMatchObject([
      { id: 1, result: 'yes' },
      { id: null, error: invalid },
      { id: 9, error: invalid },
      { id: null, error: invalid },
      { id: null, error: invalid },
    ]);
  });

  it('answers nothing to a batch of notifications', async () => {
    const { answer, code } = await post(
      () => Promise.resolve(1),
      '[{"jsonrpc":"2.0","method":"m"},{"jsonrpc":"2.0","method":"m"}]',
    );

    expect(answer).toBeUndefined();
    expect(code).toBe(204);
  });

  it('calls nothing of a batch that is too long', async () => {
    let calls = 0;
    const call = async (): Promise<number> => ++calls;
    const batch = (length: number): string => `[${Array(length).fill(REQUEST).join(',')}]`;

    const { answer } = await post(call, batch(MAX_BATCH + 1));
    expect(answer).toMatchObject({ id: null, error: { code: -32_600 } });
    expect(calls).toBe(0);

    await post(call, batch(MAX_BATCH));
    expect(calls).toBe(MAX_BATCH);
  });
});
