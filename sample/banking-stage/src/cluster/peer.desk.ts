import { BadRequestException, Injectable } from '@nestjs/common';
import { Chain } from '../chain/chain.js';
import { isCertificate } from '../consensus/certificate.js';
import type { Certificate } from '../consensus/certificate.js';
import type { Validator } from '../settings.js';
import { BlockSync } from './block-sync.js';
import { Decisions } from './decisions.js';
import { Gossip } from './gossip.js';
import type { Messages, Verb } from './messages.js';
import { ValidatorDesk } from './validator.js';

type Answers = {
  readonly [V in Verb]: (
    message: Messages[V]['ask'],
    from: Validator,
  ) => Messages[V]['answer'] | Promise<Messages[V]['answer']>;
};

/** Who answers what. */
@Injectable()
export class PeerDesk {
  private readonly answers: Answers = {
    status: () => ({ height: this.chain.tip.height }),
    promise: ({ slot }, { address }) => this.validator.promise(slot, address),
    vote: ({ slot, block }, { address }) => this.validator.vote(slot, block, address),
    decided: ({ certificate }, from) => this.decided(certificate, from),
    orders: async ({ orders }, from) => {
      if (!Array.isArray(orders)) throw new BadRequestException('orders must be an array');
      return { known: await this.gossip.hear(from, orders) };
    },
    blocks: ({ from }) => {
      if (!Number.isSafeInteger(from) || from < 1) throw new BadRequestException('from where?');
      return { decided: this.sync.page(from) };
    },
  };

  constructor(
    private readonly chain: Chain,
    private readonly validator: ValidatorDesk,
    private readonly decisions: Decisions,
    private readonly gossip: Gossip,
    private readonly sync: BlockSync,
  ) {}

  async answer(from: Validator, verb: Verb, message: never): Promise<object> {
    if (!Object.hasOwn(this.answers, verb)) throw new BadRequestException('nobody answers that');
    return this.answers[verb](message, from);
  }

  /** Who voted for it has the block; everybody else fetches it. */
  private async decided(certificate: Certificate, from: Validator): Promise<object> {
    if (!isCertificate(certificate)) throw new BadRequestException('that is no certificate');
    const { voted } = this.validator;
    const isHere = voted?.hash === certificate.hash;
    if (isHere) await this.decisions.take({ block: voted, certificate });
    else if (certificate.height > this.chain.tip.height) {
      void this.sync.catchUp(from).catch(() => undefined);
    }
    return {};
  }
}
