import { get, type IncomingMessage } from 'node:http';
import type { World } from './app.js';

/** A client of server-sent events that reads one after another. */
export class SseClient {
  private text = '';
  private readonly chunks: AsyncIterator<unknown>;

  private constructor(private readonly response: IncomingMessage) {
    this.chunks = response.setEncoding('utf8').iterator({ destroyOnReturn: false });
  }

  static connect({ app }: World, path: string): Promise<SseClient> {
    const { port } = app.getHttpServer().address() as { port: number };
    return new Promise((resolve, reject) => {
      // a connection of its own: it is over with the stream
      const request = get({ host: '127.0.0.1', port, path, agent: false });
      request.once('response', (response) => resolve(new SseClient(response)));
      request.once('error', reject);
    });
  }

  get status(): number {
    return this.response.statusCode!;
  }

  /** The `data` of the next event, or of the error that Nest sends as one; undefined at the end. */
  async next(): Promise<string | undefined> {
    for (;;) {
      const end = this.text.indexOf('\n\n');
      if (end < 0) {
        const { done, value } = await this.chunks.next();
        if (done === true) return undefined;
        this.text += String(value);
        continue;
      }
      const event = this.text.slice(0, end);
      this.text = this.text.slice(end + 2);
      const data = /^data: (.*)$/m.exec(event)?.[1];
      if (data !== undefined) return data;
    }
  }

  leave(): void {
    this.response.destroy();
  }
}
