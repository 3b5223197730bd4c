import { Injectable, Logger } from '@nestjs/common';
import { BankingStage } from '../banking/banking-stage.js';
import { Chain } from '../chain/chain.js';
import { certificateProblem } from '../consensus/certificate.js';
import { Settled } from './settled.js';
import { Members } from './members.js';
import type { DecidedBlock } from './messages.js';
import { SharedBlocks } from './shared-blocks.js';

/** Takes over what a majority decided, whoever brings it, one block at a time. */
@Injectable()
export class Decisions {
  private readonly logger = new Logger('Decisions');
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly members: Members,
    private readonly chain: Chain,
    private readonly blocks: SharedBlocks,
    private readonly banking: BankingStage,
    private readonly settled: Settled,
  ) {}

  /** Whether the chain has the block now; it has not where others are missing in between. */
  take(decided: DecidedBlock): Promise<boolean> {
    const taken = this.last.then(() => this.takeNow(decided));
    this.last = taken.catch(() => undefined);
    return taken;
  }

  private async takeNow({ block, certificate }: DecidedBlock): Promise<boolean> {
    const { tip } = this.chain;
    const refuse = (problem: string): never => {
      this.logger.warn(`block ${certificate?.height} is refused: ${problem}`);
      throw new Error(problem);
    };
    const problem = certificateProblem(certificate, this.members.addresses);
    if (problem !== undefined) return refuse(problem);
    if (block?.hash !== certificate.hash || block.height !== certificate.height) {
      return refuse('its certificate is of another block');
    }
    if (block.height <= tip.height) {
      const isOurs = this.chain.blockAt(block.height)?.hash === block.hash;
      return isOurs || refuse('a majority decided two blocks: somebody voted twice');
    }
    if (block.height > tip.height + 1) return false;
    const wrong = await this.blocks.problemOf(block, Date.now());
    if (wrong !== undefined) return refuse(wrong);
    const dropped = await this.banking.adopt(block, certificate);
    this.settled.tell([...block.entries.map(({ id }) => id), ...dropped]);
    return true;
  }
}
