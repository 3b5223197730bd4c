import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { RateLimit, seconds } from 'nestjs-bulwark';
import { NodeSettings } from '../settings.js';

/** Bounds what one client may ask, each request of a batch counted. The settings say how much. */
@Injectable()
export class ClientLimit {
  constructor(private readonly settings: NodeSettings) {}

  @RateLimit({
    limit: 2_000,
    per: seconds(1),
    burst: 4_000,
    key: (client: string) => client,
    maxKeys: 10_000,
  })
  async admit(_client: string): Promise<void> {}

  /**
   * Who has a token that was given out is known by it, wherever it calls from; everybody else by the
   * address. A token that nobody gave out counts for nothing, or each would bring a limit of its own.
   */
  clientOf({ headers, socket }: IncomingMessage): string {
    const token = /^bearer (.+)$/i.exec(headers.authorization ?? '')?.[1];
    if (token !== undefined && this.settings.clientTokens?.includes(token)) {
      return `token ${createHash('sha256').update(token).digest('hex').slice(0, 16)}`;
    }
    return `address ${socket?.remoteAddress ?? 'unknown'}`;
  }
}
