import { digest } from '../codec/digest.js';
import { SeededRandom } from '../dice/seeded-random.js';
import { keyPairFrom } from '../keys/key-pair.js';
import type { KeyPair } from '../keys/key-pair.js';
import type { Output } from '../ledger/output.js';
import { signPayment } from '../transaction/transaction.js';
import type { Transaction } from '../transaction/transaction.js';

const CLIENTS = 32;
const CLIENT_FUNDS = 10_000_000;
const MAX_FEE = 50;
/** All of it small enough to be accepted on a provisional quote. */
const MAX_AMOUNT = 900;
const FINGERPRINT_PAYMENTS = 1_000;

interface PlannedPayment {
  readonly from: number;
  readonly to: number;
  readonly amount: number;
  readonly nonce: number;
}

/** Who pays whom how much, in which order: the same seed gives the same traffic. */
export class TrafficPlan {
  readonly clients: readonly KeyPair[];
  readonly validator: KeyPair;
  private readonly payments: Generator<PlannedPayment, never>;

  constructor(readonly seed: number) {
    this.clients = Array.from({ length: CLIENTS }, (_, n) => keyPairFrom(`tour/${seed}/${n}`));
    this.validator = keyPairFrom(`tour/${seed}/validator`);
    this.payments = paymentsFrom(seed);
  }

  /** Short, to see at a glance that two runs had the same plan. */
  get fingerprint(): string {
    const payments = paymentsFrom(this.seed);
    const first = Array.from({ length: FINGERPRINT_PAYMENTS }, () => ({
      ...payments.next().value,
    }));
    return digest('plan', first).slice(0, 12);
  }

  allocations(extras: Readonly<Record<string, number>>): Output[] {
    return [
      ...this.clients.map(({ address }) => ({ owner: address, amount: CLIENT_FUNDS })),
      ...Object.entries(extras).map(([name, amount]) => ({
        owner: this.extra(name).address,
        amount,
      })),
    ];
  }

  /** Someone who takes no part in the traffic but has a scene of their own. */
  extra(name: string): KeyPair {
    return keyPairFrom(`tour/${this.seed}/${name}`);
  }

  /** In an order that depends on the seed alone. */
  shuffled<T>(items: readonly T[]): T[] {
    const dice = new SeededRandom(this.seed);
    const keyed = items.map((item) => ({ item, key: dice.next() }));
    return keyed.toSorted((a, b) => a.key - b.key).map(({ item }) => item);
  }

  next(): Transaction {
    const { from, to, amount, nonce } = this.payments.next().value;
    return signPayment(
      { to: this.client(to).address, amount, maxFee: MAX_FEE, nonce },
      this.client(from),
    );
  }

  private client(at: number): KeyPair {
    return this.clients[at % CLIENTS] ?? this.validator;
  }
}

function* paymentsFrom(seed: number): Generator<PlannedPayment, never> {
  const dice = new SeededRandom(seed);
  for (let nonce = 0; ; nonce++) {
    const from = dice.between(0, CLIENTS - 1);
    const to = (from + dice.between(1, CLIENTS - 1)) % CLIENTS;
    yield { from, to, amount: dice.between(1, MAX_AMOUNT), nonce };
  }
}
