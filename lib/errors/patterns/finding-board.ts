import type { Finding, FindingListener } from './finding.js';

/**
 * The findings that hold. Whoever watches says at each look whether its finding holds; the board
 * turns that into one `raised` and one `ended`, which are told when the look is over, so that a
 * listener may ask and may even throw.
 */
export class FindingBoard {
  private readonly holding = new Set<Finding>();
  private news: (readonly [Finding, 'raised' | 'ended'])[] = [];

  get active(): readonly Finding[] {
    return [...this.holding];
  }

  raise(finding: Finding): void {
    this.holding.add(finding);
    this.news.push([finding, 'raised']);
  }

  end(finding: Finding): void {
    if (this.holding.delete(finding)) this.news.push([finding, 'ended']);
  }

  endAll(): void {
    for (const finding of this.holding) this.end(finding);
  }

  /** Tells what is new, in order. The first listener's error that was thrown is thrown in the end. */
  tell(listener: FindingListener): void {
    const { news } = this;
    if (news.length === 0) return;
    this.news = [];
    const thrown: unknown[] = [];
    for (const [finding, phase] of news) {
      try {
        listener(finding, phase);
      } catch (error) {
        thrown.push(error);
      }
    }
    if (thrown.length > 0) throw thrown[0];
  }
}

/** The place of one finding that is there or not. */
export class FindingSlot<F extends Finding = Finding> {
  private current: F | undefined;

  get holds(): boolean {
    return this.current !== undefined;
  }

  /** @param made the finding, if it holds now */
  set(holds: boolean, board: FindingBoard, make: () => F): void {
    if (holds === this.holds) return;
    if (this.current === undefined) {
      this.current = make();
      board.raise(this.current);
    } else {
      board.end(this.current);
      this.current = undefined;
    }
  }
}
