import { clean } from '../../errors/record/clean.js';
import { ResilienceConfigError, show } from '../../kernel/check.js';
import type { Clock } from '../../kernel/clock.js';
import type { Milliseconds } from '../../kernel/duration.js';
import type { ActionEntry } from '../actions/action-log.js';
import type { ShutdownHook } from '../hooks.js';
import type {
  AttachOptions,
  Closable,
  RecoveryRequest,
  ShutdownDesk,
} from '../recovery-manager.js';
import { RecoveryError } from '../recovery.error.js';
import { SHUTDOWN_DEFAULTS, type ShutdownOptions } from '../recovery.options.js';
import { checkAttach } from './attach-options.js';
import { runShutdownHooks } from './shutdown-hooks.js';
import type { ShutdownCalls, ShutdownHost, Traffic } from './shutdown-host.js';

/** How often it is looked whether all have ended: nobody counts calls for the sake of their end. */
const LOOK: Milliseconds = 10;
/** How long an application that has just started may take to listen. */
const LISTEN: Milliseconds = 1_000;
/** How long the last bytes of answers may take to their clients. */
const FLUSH: Milliseconds = 250;
/** How long the application may take to close before the process ends without. */
const PATIENCE: Milliseconds = 30_000;
/** How long the process has to end by itself. */
const LINGER: Milliseconds = 1_000;
/** Of a reason, in characters. */
const MAX_REASON = 200;
const MAX_LINE = 2_048;

const SIGNALS: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT'];

/** What is attached. */
interface Attached {
  readonly app: Closable;
  readonly traffic: Traffic;
  readonly exit: ((code: number) => void) | false;
}

/** What the end of an application is told to, and what is done before it. */
export interface ShutdownLinks {
  /** What the providers want to do last. */
  hooks(): readonly ShutdownHook[];
  record(entry: ActionEntry): unknown;
}

/**
 * Ends an application in good order: nobody who was let in is turned out before the grace is over,
 * whoever waits for nothing is told so, what is to be kept is kept, and then the process ends.
 */
export class GracefulShutdown implements ShutdownDesk {
  private attached: Attached | undefined;
  private ending: Promise<void> | undefined;
  private isStarted = false;
  private links: ShutdownLinks | undefined;
  private readonly leaveSignals: (() => void)[] = [];
  private readonly preStopDelay: Milliseconds;
  private readonly grace: Milliseconds;
  private readonly drained = new AbortController();

  constructor(
    private readonly clock: Clock,
    private readonly calls: ShutdownCalls,
    private readonly host: ShutdownHost,
    options: ShutdownOptions = {},
  ) {
    this.preStopDelay = options.preStopDelay ?? SHUTDOWN_DEFAULTS.preStopDelay;
    this.grace = options.grace ?? SHUTDOWN_DEFAULTS.grace;
  }

  /** Says where hooks come from and actions go to. Once, when the application starts. */
  connect(links: ShutdownLinks): void {
    this.links = links;
  }

  get isAttached(): boolean {
    return this.attached !== undefined;
  }

  /** From the very beginning: readiness is to say so at once. */
  get isShuttingDown(): boolean {
    return this.ending !== undefined;
  }

  /** Aborts when requests are to end: for streams that would not by themselves. */
  get draining(): AbortSignal {
    return this.drained.signal;
  }

  /** @throws ResilienceConfigError for what is no application, or other options than there are */
  attach(app: Closable, options: AttachOptions = {}): void {
    const mistakes = checkAttach(app, options);
    if (this.attached !== undefined && mistakes.length === 0 && this.attached.app !== app)
      mistakes.push({
        at: 'RecoveryManager.attach',
        problem: 'called with another application before, expected one',
      });
    if (mistakes.length > 0) throw new ResilienceConfigError(mistakes);
    if (this.attached !== undefined) return;
    const { host } = this;
    this.attached = { app, traffic: host.trafficOf(app), exit: options.exit ?? host.exit };
    const { signals = SIGNALS } = options;
    for (const signal of new Set(signals === false ? [] : signals))
      this.leaveSignals.push(host.onSignal(signal, () => this.signalled(signal)));
  }

  /** The application has started. */
  started(): void {
    this.isStarted = true;
  }

  /** The application was closed. A process that is to end hears signals to its end: a second one must not change its code. */
  closed(): void {
    if (this.ending !== undefined && this.attached?.exit !== false) return;
    for (const leave of this.leaveSignals.splice(0)) leave();
  }

  // oxlint-disable-next-line typescript/promise-function-async -- a second call is to get the same promise
  shutdown(reason: string, { by = 'code' }: RecoveryRequest = {}): Promise<void> {
    const { attached } = this;
    if (attached === undefined) {
      const message =
        'there is no application to close; call app.get(RecoveryManager).attach(app) in main.ts';
      return Promise.reject(new RecoveryError('RECOVERY_NOT_ATTACHED', message));
    }
    return (this.ending ??= this.end(attached, clean(wordsOf(reason), MAX_REASON), by));
  }

  private signalled(signal: NodeJS.Signals): void {
    this.shutdown(signal, { by: 'signal' }).catch(() => {
      // `end` has said why
    });
  }

  private async end({ app, traffic, exit }: Attached, reason: string, by: string): Promise<void> {
    const { logger } = this.host;
    logger.log(`shutting down: ${reason}`);
    await this.start(traffic);
    this.record({ type: 'shutdown', status: 'started', details: reason, by });
    traffic.sayGoodbye();
    if (this.preStopDelay > 0) await this.wait(this.preStopDelay);
    await this.drain(traffic);
    const { hooks = () => [] } = this.links ?? {};
    const problems = await this.calls.runLast(() => runShutdownHooks(hooks(), reason, this.clock));
    for (const problem of problems) logger.error(problem);
    this.record({ type: 'shutdown', status: 'success', details: reason, by });
    try {
      await this.close(app);
    } catch (error) {
      logger.error(clean(`the application could not be closed: ${wordsOf(error)}`, MAX_LINE));
      // not in the background: a process that ends by itself would end as if all were well
      if (exit !== false) this.clock.schedule(() => exit(1), LINGER);
      throw error;
    }
    logger.log('shut down');
    if (exit === false) return;
    this.host.endInOneStep();
    this.host.inBackground(() => exit(0), LINGER);
  }

  /** What is closed while it starts goes on to start, and fails, or lives on: so it has to start first. */
  private async start(traffic: Traffic): Promise<void> {
    const { clock } = this;
    if (this.isStarted) return;
    await this.until(() => this.isStarted, clock.now() + this.grace);
    await this.until(() => traffic.isListening, clock.now() + LISTEN);
  }

  /** Lets everybody end who was let in, and ends what has not when the grace is over. */
  private async drain(traffic: Traffic): Promise<void> {
    const { calls, clock, grace } = this;
    const end = clock.now() + grace;
    this.drained.abort(new Error('the application is shutting down'));
    calls.drain();
    traffic.stop();
    await this.until(() => traffic.requests === 0, end);
    calls.close();
    const isDone = await this.until(() => calls.inFlight === 0 && traffic.requests === 0, end);
    if (!isDone) {
      const left = `${calls.inFlight} calls and ${traffic.requests} requests`;
      this.host.logger.warn(`shutdown: ${left} have not ended within ${grace} ms`);
      calls.cut();
      await this.wait(LOOK); // whoever waited for a call may answer now
      traffic.refuse();
    }
    await this.until(() => traffic.connections === 0, clock.now() + FLUSH);
    traffic.disconnect();
  }

  private close(app: Closable): Promise<void> {
    return new Promise((resolve, reject) => {
      // it also keeps the process alive, where what is waited for does not
      const cancel = this.clock.schedule(
        () => reject(new Error(`app.close() takes longer than ${PATIENCE} ms`)),
        PATIENCE,
      );
      const closing = async (): Promise<void> => app.close();
      void closing().finally(cancel).then(resolve, reject);
    });
  }

  /** @returns whether it came true by then */
  private async until(isSo: () => boolean, end: Milliseconds): Promise<boolean> {
    while (!isSo()) {
      const left = end - this.clock.now();
      if (left <= 0) return false;
      await this.wait(Math.min(LOOK, left));
    }
    return true;
  }

  private wait(span: Milliseconds): Promise<void> {
    return new Promise((resolve) => void this.clock.schedule(resolve, span));
  }

  private record(entry: ActionEntry): void {
    try {
      this.links?.record(entry);
    } catch (error) {
      this.host.logger.error(clean(`the action was not noted: ${wordsOf(error)}`, MAX_LINE));
    }
  }
}

function wordsOf(thing: unknown): string {
  if (typeof thing === 'string') return thing;
  try {
    if (thing instanceof Error) return thing.message;
  } catch {
    // one that cannot be read is shown as what it is
  }
  return show(thing);
}
