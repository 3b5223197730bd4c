import { keyPairFrom } from '../keys/key-pair.js';
import type { KeyPair } from '../keys/key-pair.js';
import type { Output } from '../ledger/output.js';

export const FEE_COLLECTOR = 'validator';
export const BLOCKED_NAME = 'mallory';

const FUNDS: Readonly<Record<string, number>> = {
  alice: 1_000_000,
  bob: 50_000,
  carol: 2_000,
  [BLOCKED_NAME]: 10_000,
};

/** Anyone can make these keys: the secret is the name. */
export function demoKeys(name: string): KeyPair {
  return keyPairFrom(`demo/${name}`);
}

export const DEMO_NAMES: readonly string[] = [...Object.keys(FUNDS), FEE_COLLECTOR];

export const DEMO_ALLOCATIONS: readonly Output[] = Object.entries(FUNDS).map(([name, amount]) => ({
  owner: demoKeys(name).address,
  amount,
}));
