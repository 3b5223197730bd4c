import { hours } from 'nestjs-bulwark';
import type { Address } from './keys/key-pair.js';
import type { Output } from './ledger/output.js';

/** What one node is told at boot. A class, because it is also the injection token. */
export abstract class NodeSettings {
  /** Where the fees-and-compliance service listens, without a slash at the end. */
  abstract readonly upstreamUrl: string;
  /** Where its state is kept: of this node alone. */
  abstract readonly dataDirectory: string;
  /** Whether all that is written down is compared with what is in memory. Costs time. */
  abstract readonly verify: boolean;
  /** Who owns what at height 0. */
  abstract readonly allocations: readonly Output[];
  /** Who gets the fees. */
  abstract readonly validator: Address;
  /** Milliseconds between two blocks. */
  abstract readonly blockInterval: number;
  abstract readonly maxBlockEntries: number;
  /** Transactions that may wait for a block; at so many new ones are refused ... */
  abstract readonly maxPending: number;
  /** ... until no more than so many wait: who comes back is not refused again at once. */
  abstract readonly resumePending: number;
  /** Milliseconds that an accepted transaction waits for a block at most: its receipt says until when. */
  abstract readonly pendingFor: number;
  /**
   * Who sends it may look after the node, and end it: at least 32 characters. Where it is missing, a
   * node that runs on a terminal makes one up and logs it; any other lets nobody in.
   */
  abstract readonly recoveryToken?: string;
  /** Requests a second that one client may make in the long run, and twice as many at once. */
  abstract readonly requestsPerSecond: number;
  /** Those who send one are known by it, and not by their address: several may share one of those. */
  abstract readonly clientTokens?: readonly string[];
  /** Whether the policies do anything; `false` is for measuring what they cost. */
  abstract readonly enabled?: boolean;
  /** The other validators, where it has some: see `cluster`. Without, it decides alone. */
  abstract readonly cluster?: ClusterSettings;
}

/** One of those who decide the chain together. */
export interface Validator {
  readonly name: string;
  readonly address: Address;
  /** Where the others reach it, without a slash at the end. */
  readonly url: string;
}

export interface ClusterSettings {
  /** The name of this node among the validators. */
  readonly self: string;
  /** What the key of its address is made from. */
  readonly secret: string;
  /** All of them, this node too: the same list, in the same order, everywhere. */
  readonly validators: readonly Validator[];
  /** Milliseconds that the leader of a round is given before the next one tries. */
  readonly patience: number;
  /** Milliseconds between two looks at a peer. */
  readonly heartbeat: number;
  /** Milliseconds that a peer may take for an answer. */
  readonly peerTimeout: number;
}

export const SETTINGS_DEFAULTS = {
  verify: false,
  blockInterval: 200,
  maxBlockEntries: 1_000,
  maxPending: 10_000,
  resumePending: 8_000,
  pendingFor: hours(24),
  requestsPerSecond: 2_000,
} as const;

export const CLUSTER_DEFAULTS = { patience: 1_000, heartbeat: 250, peerTimeout: 2_000 } as const;
