/** How much a count grew between two looks at it. */
export class Growth {
  private last: { readonly count: number; readonly at: number } | undefined;

  to(count: number, now = performance.now()): { by: number; seconds: number } {
    const { count: before, at } = this.last ?? { count, at: now };
    this.last = { count, at: now };
    return { by: count - before, seconds: (now - at) / 1_000 };
  }
}
