/** Who is told what became of an entry. Must not throw. */
export interface Acknowledged {
  kept(): void;
  lost(error: unknown): void;
}

/**
 * Entries that become durable together, and the calls that wait for it: one promise of the store,
 * however many they are. Who is told is told in anybody's async context.
 */
export class Pending {
  isDurable = false;
  private failure: { readonly error: unknown } | undefined;
  private waiters: Acknowledged[] = [];

  /** @param durable of the store: `Appended.durable` */
  constructor(readonly durable: Promise<void>) {
    durable.then(
      () => {
        this.isDurable = true;
        for (const waiter of this.taken()) waiter.kept();
      },
      (error: unknown) => {
        // where nobody waits for it, nobody wants to know: the fence comes from the store
        this.failure = { error };
        for (const waiter of this.taken()) waiter.lost(error);
      },
    );
  }

  /** Tells how it went, at once if that is known. */
  wait(waiter: Acknowledged): void {
    if (this.isDurable) waiter.kept();
    else if (this.failure !== undefined) waiter.lost(this.failure.error);
    else this.waiters.push(waiter);
  }

  private taken(): Acknowledged[] {
    const { waiters } = this;
    this.waiters = [];
    return waiters;
  }
}
