/**
 * How many retries may run at once beside the calls in flight, so that retries cannot multiply the
 * load on a dependency that fails everybody. Envoy's and failsafe-go's rule: it needs no clock, it
 * scales with traffic, and it is back as soon as the retries are over.
 *
 * Shared by all methods in front of one dependency. A retry counts from the moment it is planned,
 * so also while it waits for its turn, until its attempt has ended, has been called off, or has
 * delivered the first value of a stream, which may go on for days.
 */
export class RetryBudget {
  private inFlight = 0;
  private running = 0;

  /**
   * @param ratio share of the calls in flight that may be retries, 0 to 1
   * @param minimum retries that may run at once however few calls there are, from 0
   */
  constructor(
    private ratio: number,
    private minimum: number,
  ) {}

  /** Other limits from now on; retries that run have their leave. */
  reconfigure(ratio: number, minimum: number): void {
    this.ratio = ratio;
    this.minimum = minimum;
  }

  /** Calls in flight: those that wait for a retry are among them. */
  get calls(): number {
    return this.inFlight;
  }

  /** Retries planned or running. */
  get retries(): number {
    return this.running;
  }

  callStarted(): void {
    this.inFlight += 1;
  }

  callEnded(): void {
    if (this.inFlight > 0) this.inFlight -= 1;
  }

  /** Takes leave for one retry; whoever gets it says `retryEnded`, once. */
  tryRetry(): boolean {
    // 0.29 × 100 is a little less than 29
    const allowed = Math.max(this.minimum, Math.floor(this.ratio * this.inFlight + 1e-9));
    if (this.running >= allowed) return false;
    this.running += 1;
    return true;
  }

  retryEnded(): void {
    if (this.running > 0) this.running -= 1;
  }
}
