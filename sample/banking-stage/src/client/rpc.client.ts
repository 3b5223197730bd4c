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
    /** Or where it is now: a node that was restarted listens elsewhere. */
    private readonly url: string | (() => string),
    private readonly timeout = 10_000,
  ) {}

  async call<T>(method: string, ...params: readonly unknown[]): Promise<T> {
    const answer = await this.post(
      JSON.stringify({ jsonrpc: '2.0', id: ++this.lastId, method, params }),
    );
    if (answer.error) throw new RpcFailure(answer.error);
    return answer.result as T;
  }

  /** One method with many params, as one batch; the results in the order of the params. */
  async callEach<T>(method: string, params: readonly unknown[]): Promise<T[]> {
    const requests = params.map((one, id) => ({ jsonrpc: '2.0', id, method, params: [one] }));
    const answers = (await this.fetch(JSON.stringify(requests))) as { id: number; result: T }[];
    return answers.toSorted((a, b) => a.id - b.id).map(({ result }) => result);
  }

  async post(body: string): Promise<{ result?: unknown; error?: RpcErrorBody }> {
    return (await this.fetch(body)) as { result?: unknown; error?: RpcErrorBody };
  }

  private async fetch(body: string): Promise<unknown> {
    const url = typeof this.url === 'string' ? this.url : this.url();
    const response = await fetch(`${url}/rpc`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      signal: AbortSignal.timeout(this.timeout),
    });
    return response.json();
  }
}
