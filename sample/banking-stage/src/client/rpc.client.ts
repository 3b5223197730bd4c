import type { RpcErrorBody } from '../rpc/rpc.error.js';

/** The node answered with an error. Anything else that goes wrong is some other error. */
export class RpcFailure extends Error {
  override readonly name = 'RpcFailure';

  constructor(readonly answer: RpcErrorBody) {
    super(`${answer.data.reason} (${answer.code}): ${answer.message}`);
  }

  get reason(): string {
    return this.answer.data.reason;
  }
}

export class RpcClient {
  private lastId = 0;

  constructor(
    private readonly url: string,
    private readonly timeout = 10_000,
  ) {}

  async call<T>(method: string, ...params: readonly unknown[]): Promise<T> {
    const answer = await this.post(
      JSON.stringify({ jsonrpc: '2.0', id: ++this.lastId, method, params }),
    );
    if (answer.error) throw new RpcFailure(answer.error);
    return answer.result as T;
  }

  async post(body: string): Promise<{ result?: unknown; error?: RpcErrorBody }> {
    const response = await fetch(`${this.url}/rpc`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      signal: AbortSignal.timeout(this.timeout),
    });
    return (await response.json()) as { result?: unknown; error?: RpcErrorBody };
  }
}
