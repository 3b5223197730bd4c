/** One isolation or disabling, held until its own handle, or somebody in its place, lets go. */
interface Hold {
  readonly reason: string;
}

/** What the hands on a breaker ask for. */
export type HandWish = 'isolated' | 'disabled' | undefined;

/** Isolations and disablings of one breaker. Both nest, and isolation is the stronger. */
export class Hands {
  private isolations: Hold[] = [];
  private disablings: Hold[] = [];

  get wish(): HandWish {
    if (this.isolations.length > 0) return 'isolated';
    return this.disablings.length > 0 ? 'disabled' : undefined;
  }

  /** Answers the handle, which says whether the hold was still there to let go. */
  hold(kind: 'isolated' | 'disabled', reason: string): () => boolean {
    const holds = kind === 'isolated' ? this.isolations : this.disablings;
    const hold: Hold = { reason };
    holds.push(hold);
    return () => {
      const index = holds.indexOf(hold);
      if (index >= 0) holds.splice(index, 1);
      return index >= 0;
    };
  }

  /** Lets go of the latest isolation, else of the latest disabling. */
  releaseLatest(): boolean {
    return (this.isolations.pop() ?? this.disablings.pop()) !== undefined;
  }

  /** The reasons of all holds of one kind, oldest first. */
  reasons(kind: 'isolated' | 'disabled'): string[] {
    return (kind === 'isolated' ? this.isolations : this.disablings).map(({ reason }) => reason);
  }
}
