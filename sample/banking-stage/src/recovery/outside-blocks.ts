import { Injectable, Logger } from '@nestjs/common';
import { OnInvalid } from 'nestjs-bulwark';
import type { Block } from '../chain/block.js';
import { isRecord } from '../chain/block-shape.js';
import { Chain } from '../chain/chain.js';

/** Blocks that others offer. None is taken over: a node that makes its own has the valid one. */
@Injectable()
export class OutsideBlocks {
  private readonly logger = new Logger('Blocks');

  constructor(private readonly chain: Chain) {}

  @OnInvalid('block', 'reject')
  reject(block: unknown): void {
    this.logger.warn(`an invalid block was refused (height ${String(heightOf(block))})`);
  }

  @OnInvalid('block', 'request')
  request(block: unknown): Block | undefined {
    const height = heightOf(block);
    return height === undefined ? undefined : this.chain.blockAt(height);
  }

  @OnInvalid('transaction', 'reject')
  rejectTransaction(): void {
    this.logger.warn('an invalid transaction was refused');
  }
}

function heightOf(block: unknown): number | undefined {
  const height = isRecord(block) ? block['height'] : undefined;
  return Number.isSafeInteger(height) ? (height as number) : undefined;
}
