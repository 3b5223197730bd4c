import { Injectable } from '@nestjs/common';
import { keyPairFrom } from '../keys/key-pair.js';
import type { Address, KeyPair } from '../keys/key-pair.js';
import { NodeSettings } from '../settings.js';
import type { ClusterSettings, Validator } from '../settings.js';
import { majorityOf } from '../consensus/proposer.js';

/** Who decides the chain, and which of them this node is. */
@Injectable()
export class Members {
  readonly settings: ClusterSettings;
  readonly all: readonly Validator[];
  readonly others: readonly Validator[];
  readonly addresses: readonly Address[];
  /** This node's place in the list. */
  readonly place: number;
  readonly keys: KeyPair;

  constructor({ cluster }: NodeSettings) {
    if (!cluster) throw new Error('this node has no cluster');
    this.settings = cluster;
    this.all = cluster.validators;
    this.others = this.all.filter(({ name }) => name !== cluster.self);
    this.addresses = this.all.map(({ address }) => address);
    this.keys = keyPairFrom(cluster.secret);
    this.place = this.all.findIndex(({ name }) => name === cluster.self);
    if (this.all[this.place]?.address !== this.keys.address) {
      throw new Error(`${cluster.self} is no validator, or its key is not the one of its address`);
    }
  }

  get majority(): number {
    return majorityOf(this.all.length);
  }

  byAddress(address: Address): Validator | undefined {
    return this.all.find((one) => one.address === address);
  }
}
