import { clean as withoutOwn, type Clean } from '../../errors/record/clean.js';
import { factsOf, headline } from '../../errors/record/facts.js';
import { show } from '../../kernel/check.js';
import type { Clock } from '../../kernel/clock.js';
import type { Milliseconds } from '../../kernel/duration.js';
import type { IntegrityCheckHook } from '../hooks.js';
import type { CorruptionReport } from '../recovery-report.js';
import { RecoveryError } from '../recovery.error.js';
import { Findings } from './findings.js';
import { Halt } from './halt.js';

/** How checks are run. */
export interface CheckRun {
  /** Whoever asked has left. */
  readonly signal?: AbortSignal;
  /** Milliseconds that all checks together may take. */
  readonly timeout: Milliseconds;
  readonly clock: Clock;
  /** Lets the event loop do other work. Default: to its next turn. */
  readonly breathe?: () => Promise<void>;
  /** Everything of a check runs inside, step by step, so that it sees the state it is to look at. Default: as it is. */
  readonly within?: <T>(step: () => T) => T;
  /** Every text goes through it. Default: takes out the secrets that we know. */
  readonly clean?: Clean;
}

/** What checks found. */
export type CheckFindings = Pick<CorruptionReport, 'issues' | 'issueCount' | 'checks' | 'duration'>;

/** So long the event loop is held at a time, as far as the checks allow it: a step of theirs is not interrupted. */
const SLICE: Milliseconds = 10;

/**
 * Runs checks one after the other, in slices, and gathers what they find. A check that throws, or
 * answers what is no list of issues, is an issue itself.
 *
 * @throws RecoveryError `RECOVERY_ABORTED` at the timeout, or when the signal aborts; it waits for
 *   no check then
 */
export async function runChecks(
  checks: readonly IntegrityCheckHook[],
  run: CheckRun,
): Promise<CheckFindings> {
  const start = run.clock.now();
  const halt = new Halt(run);
  const findings = new Findings(run.clean ?? withoutOwn);
  const slices = new Slices(run, halt);
  try {
    for (const check of checks) {
      halt.enter(check.name);
      await runOne(check, { ...run, findings, halt, slices });
      await slices.pause();
    }
    return { ...findings.report, duration: run.clock.now() - start };
  } finally {
    halt.close();
  }
}

interface Running extends CheckRun {
  readonly findings: Findings;
  readonly halt: Halt;
  readonly slices: Slices;
}

async function runOne(check: IntegrityCheckHook, running: Running): Promise<void> {
  const { findings, halt, within = asItIs } = running;
  findings.begin(check.name);
  try {
    const answer: unknown = await halt.until(within(() => check.run(halt.signal)));
    await readAll(answer, running);
  } catch (error) {
    if (error instanceof RecoveryError && error === halt.reason) throw error;
    findings.failed(headline(factsOf(error)));
  }
}

/** Whether that was the end. */
type Read = (result: unknown) => boolean;

async function readAll(answer: unknown, running: Running): Promise<void> {
  const { findings, within = asItIs } = running;
  const iterate = within(() => iterators(answer));
  if (iterate === undefined) {
    findings.failed(`it answered ${show(answer)}, expected a list of issues`);
    return;
  }
  const iterator = within(iterate.open);
  const read: Read = (result) => {
    if (typeof result !== 'object' || result === null)
      throw new TypeError(`its iterator answered ${show(result)}, expected { done, value }`);
    const { done, value } = result as IteratorResult<unknown>;
    if (done !== true) findings.add(value);
    return done === true;
  };
  try {
    await (iterate.isAsync
      ? readAsync(iterator as AsyncIterator<unknown>, read, running)
      : readSync(iterator as Iterator<unknown>, read, running));
  } catch (error) {
    leave(iterator, within);
    throw error;
  }
}

async function readSync(iterator: Iterator<unknown>, read: Read, running: Running): Promise<void> {
  const { slices, within = asItIs } = running;
  const slice = (): boolean => {
    while (!slices.isOver) if (read(iterator.next())) return true;
    return false;
  };
  while (!within(slice)) await slices.pause();
}

async function readAsync(
  iterator: AsyncIterator<unknown>,
  read: Read,
  { halt, slices, within = asItIs }: Running,
): Promise<void> {
  for (;;) {
    const result = await halt.until(within(() => iterator.next()));
    if (within(() => read(result))) return;
    if (slices.isOver) await slices.pause();
  }
}

/** Generators clean up behind themselves; nobody waits for those that hang. */
function leave(iterator: { return?(): unknown }, within: <T>(step: () => T) => T): void {
  void (async () => within(() => iterator.return?.()))().catch(() => {});
}

/** How to go through an answer; undefined for what is no list. A text is one of letters only. */
function iterators(
  answer: unknown,
): { open(): Iterator<unknown> | AsyncIterator<unknown>; isAsync: boolean } | undefined {
  if (typeof answer !== 'object' || answer === null) return undefined;
  const list = answer as Partial<Iterable<unknown> & AsyncIterable<unknown>>;
  if (typeof list[Symbol.asyncIterator] === 'function')
    return { open: () => list[Symbol.asyncIterator]!(), isAsync: true };
  if (typeof list[Symbol.iterator] === 'function')
    return { open: () => list[Symbol.iterator]!(), isAsync: false };
  return undefined;
}

const asItIs = <T>(step: () => T): T => step();

/** The turns of the event loop that the checks get. */
class Slices {
  private since: Milliseconds;

  constructor(
    private readonly run: CheckRun,
    private readonly halt: Halt,
  ) {
    this.since = run.clock.now();
  }

  get isOver(): boolean {
    return this.run.clock.now() - this.since > SLICE;
  }

  /** Lets others work, if it is time to. */
  async pause(): Promise<void> {
    if (!this.isOver) return;
    this.halt.look();
    const { breathe = nextTurn } = this.run;
    await this.halt.until(breathe());
    this.since = this.run.clock.now();
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
