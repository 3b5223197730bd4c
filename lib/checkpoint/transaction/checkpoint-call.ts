import type { Component } from '../component/component.js';
import type { CheckpointOptions } from '../component/component.options.js';
import type { ResilienceRejection } from '../../kernel/rejection.js';
import { type CallHost, Keeping } from './keeping.js';

/** Which call it is. */
export interface CallFacts {
  /** The name of the protected method. */
  readonly target: string;
  readonly component: Component;
  readonly host: CallHost;
  readonly options: CheckpointOptions;
  readonly args: readonly unknown[];
  /** From here on it cannot be called off: it is in the journal. */
  readonly committed: () => void;
}

/** An attempt of a `@Checkpoint` method as those see it who have more to do with it than to keep what it does. */
export class CheckpointCall extends Keeping {
  private readonly whenCommitted: () => void;
  private whenGranted: (() => void) | undefined;
  private whenRefused: ((error: ResilienceRejection) => void) | undefined;
  private method: (() => unknown) | undefined;
  private resolve: ((value: unknown) => void) | undefined;
  private reject: ((error: unknown) => void) | undefined;

  constructor({ target, component, host, options, args, committed }: CallFacts) {
    super(target, component, host, options, args);
    this.whenCommitted = committed;
  }

  /**
   * Asks for the turn.
   *
   * @returns true if it may run now; else `granted` or `refused` is called, unless it leaves before
   */
  enter(granted: () => void, refused: (error: ResilienceRejection) => void): boolean {
    this.whenGranted = granted;
    this.whenRefused = refused;
    return this.ask();
  }

  /** Runs the method; resolves when what it did is as safe as the component's options say. */
  run(method: () => unknown): Promise<unknown> {
    this.method = method;
    return new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
      this.begin();
    });
  }

  /** @internal */
  override granted(): void {
    this.whenGranted!();
  }

  /** @internal */
  override refused(error: ResilienceRejection): void {
    this.whenRefused!(error);
  }

  protected override willWait(): void {
    // who made it takes care of that
  }

  /** @internal */
  override invoke(): unknown {
    return this.method!();
  }

  protected override committed(): void {
    this.whenCommitted();
  }

  protected override succeeded(value: unknown): void {
    this.resolve!(value);
  }

  protected override failed(error: unknown): void {
    this.reject!(error);
  }
}
