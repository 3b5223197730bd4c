import { Agent, request } from 'node:http';

/** JSON-RPC over a few connections that stay open: the client must cost less than the node that it measures. */
export class Wire {
  private agent: Agent;
  private readonly target: URL;

  constructor(
    url: string,
    private readonly connections: number,
  ) {
    this.agent = this.fresh();
    this.target = new URL('/rpc', url);
  }

  send(body: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const asking = request(
        this.target,
        {
          agent: this.agent,
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(body),
          },
        },
        (answer) => {
          let text = '';
          answer.setEncoding('utf8');
          answer.on('data', (part: string) => (text += part));
          answer.on('end', () => resolve(text));
          answer.on('error', reject);
        },
      );
      asking.on('error', reject);
      asking.end(body);
    });
  }

  /** New connections: a server closes those that have been idle, perhaps just as one is used again. */
  renew(): void {
    this.agent.destroy();
    this.agent = this.fresh();
  }

  close(): void {
    this.agent.destroy();
  }

  private fresh(): Agent {
    return new Agent({ keepAlive: true, maxSockets: this.connections });
  }
}
