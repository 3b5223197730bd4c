import { Injectable } from '@nestjs/common';
import { Checkpoint, CheckpointComponent, Durable, DurableList, DurableMap } from 'nestjs-bulwark';
import type { Certificate } from '../consensus/certificate.js';
import type { Address } from '../keys/key-pair.js';
import type { TransactionId } from '../transaction/transaction.js';
import type { Block, BlockContent, Entry } from './block.js';

export interface Place {
  readonly height: number;
  readonly position: number;
}

/** The blocks, each holding the hash of the one before, and where each transaction is in them. */
@Injectable()
@CheckpointComponent({ name: 'chain', primary: true })
export class Chain {
  @Durable() private readonly blocks = new DurableList<Block>();
  @Durable() private readonly places = new DurableMap<TransactionId, Place>();
  /** Why a block is in the chain, by its height: where several validators decide that together. */
  @Durable() private readonly certificates = new DurableMap<number, Certificate>();

  get isEmpty(): boolean {
    return this.blocks.length === 0;
  }

  get tip(): Block {
    const tip = this.blocks.at(-1);
    if (tip === undefined) throw new Error('chain: there is no genesis block yet');
    return tip;
  }

  /** The block after the tip, made now by this validator, without what is in it. */
  frame(now: number, validator: Address): Omit<BlockContent, 'entries'> {
    const { height, hash, timestamp } = this.tip;
    return {
      height: height + 1,
      parent: hash,
      // A clock set back must not make a block older than its parent.
      timestamp: Math.max(now, timestamp),
      validator,
      allocations: [],
    };
  }

  get transactionCount(): number {
    return this.places.size;
  }

  blockAt(height: number): Block | undefined {
    return height < 0 ? undefined : this.blocks.at(height);
  }

  certificateAt(height: number): Certificate | undefined {
    return this.certificates.get(height);
  }

  allBlocks(): readonly Block[] {
    return this.blocks.slice();
  }

  allPlaces(): ReadonlyMap<TransactionId, Place> {
    return this.places;
  }

  has(id: TransactionId): boolean {
    return this.places.has(id);
  }

  find(id: TransactionId): (Place & { readonly entry: Entry }) | undefined {
    const place = this.places.get(id);
    const entry = place && this.blockAt(place.height)?.entries[place.position];
    return place && entry && { ...place, entry };
  }

  describeState(): { chain_height: number; transactions: number } {
    return { chain_height: this.blocks.length - 1, transactions: this.places.size };
  }

  @Checkpoint()
  async append(block: Block, certificate?: Certificate): Promise<void> {
    const expected = this.isEmpty ? 0 : this.tip.height + 1;
    if (block.height !== expected) {
      throw new Error(`chain: block ${block.height} does not follow, ${expected} is next`);
    }
    if (!this.isEmpty && block.parent !== this.tip.hash) {
      throw new Error(`chain: block ${block.height} has another parent than the tip`);
    }
    const twice = block.entries.find(({ id }) => this.places.has(id));
    if (twice) throw new Error(`chain: transaction ${twice.id} is already in the chain`);

    this.blocks.push(block);
    if (certificate) this.certificates.set(block.height, certificate);
    block.entries.forEach(({ id }, position) => {
      this.places.set(id, { height: block.height, position });
    });
  }
}
