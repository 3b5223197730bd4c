import type { CancelTimer } from '../../kernel/clock.js';
import type { Milliseconds } from '../../kernel/duration.js';
import type { Closable } from '../recovery-manager.js';

/** What comes into an application from outside, while it ends. */
export interface Traffic {
  /** Whether there is anything to wait for until somebody can come in. */
  readonly isListening: boolean;
  /** Requests that are not answered yet, or not to the end. */
  readonly requests: number;
  /** Connections that are open, whether there is a request on them or not. */
  readonly connections: number;
  /** From here on every answer is the last one of its connection. */
  sayGoodbye(): void;
  /** Lets nobody in any more, and ends what never ends by itself. */
  stop(): void;
  /** Answers what was not answered yet that it will not be, and breaks off the rest. */
  refuse(): void;
  /** Closes what is still open. */
  disconnect(): void;
}

/** The calls of an application, while it ends. */
export interface ShutdownCalls {
  readonly inFlight: number;
  /** Nothing waits any more. */
  drain(): void;
  /** No call begins any more. */
  close(): void;
  /** Nobody waits for a call any more. */
  cut(): void;
  /** Runs the last work, whose calls may begin and wait all the same. */
  runLast<T>(work: () => T): T;
}

/** The process around an application. */
export interface ShutdownHost {
  trafficOf(app: Closable): Traffic;
  /** @returns listens no longer */
  onSignal(signal: NodeJS.Signals, run: () => void): () => void;
  /** Ends the process; false in tests. */
  readonly exit: ((code: number) => void) | false;
  /** From here on the process ends in one step when it has nothing left to do, whatever signals come. */
  endInOneStep(): void;
  /** Runs a task once; a task that waits keeps no process alive. */
  inBackground(task: () => void, delay: Milliseconds): CancelTimer;
  readonly logger: {
    log(message: string): void;
    warn(message: string): void;
    error(message: string): void;
  };
}
