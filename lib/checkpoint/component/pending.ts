interface Waiter {
  readonly kept: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Entries that become durable together, and the calls that wait for it: one promise of the store,
 * however many they are. Who is told is told in anybody's async context.
 */
export class Pending {
  isDurable = false;
  private failure: { readonly error: unknown } | undefined;
  private waiters: Waiter[] = [];

  /** @param durable of the store: `Appended.durable` */
  constructor(readonly durable: Promise<void>) {
    durable.then(
      () => {
        this.isDurable = true;
        for (const { kept } of this.taken()) kept();
      },
      (error: unknown) => {
        // where nobody waits for it, nobody wants to know: the fence comes from the store
        this.failure = { error };
        for (const { failed } of this.taken()) failed(error);
      },
    );
  }

  /** Tells how it went, at once if that is known. */
  wait(kept: () => void, failed: (error: unknown) => void): void {
    if (this.isDurable) kept();
    else if (this.failure !== undefined) failed(this.failure.error);
    else this.waiters.push({ kept, failed });
  }

  private taken(): Waiter[] {
    const { waiters } = this;
    this.waiters = [];
    return waiters;
  }
}
