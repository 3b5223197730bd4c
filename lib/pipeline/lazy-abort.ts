/** A controller made on demand: most methods never ask, and one costs more than the rest of the call. */
export class LazyAbort {
  private controller: AbortController | undefined;
  private aborted: { readonly reason: unknown } | undefined;

  abort(reason: unknown): void {
    this.aborted = { reason };
    this.controller?.abort(reason);
  }

  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.aborted !== undefined) this.controller.abort(this.aborted.reason);
    }
    return this.controller.signal;
  }
}
