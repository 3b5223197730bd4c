/** How long each of many calls took, milliseconds. */
export class Figures {
  private readonly took: number[] = [];
  /** Milliseconds that all of them took together, beside each other. */
  elapsed = 0;

  add(took: number): void {
    this.took.push(took);
  }

  get count(): number {
    return this.took.length;
  }

  get perSecond(): number {
    return (this.count * 1_000) / this.elapsed;
  }

  percentile(share: number): number {
    const sorted = this.took.toSorted((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  }

  toString(): string {
    const ms = (share: number): string => this.percentile(share).toFixed(1).padStart(7);
    return [
      `${this.count} accepted`.padStart(15),
      `${this.perSecond.toFixed(0)}/s`.padStart(8),
      `p50 ${ms(0.5)} ms`,
      `p99 ${ms(0.99)} ms`,
    ].join('   ');
  }
}
