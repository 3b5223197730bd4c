import type { Classification, ErrorCategory } from '../../kernel/classifier.js';
import type { Clock } from '../../kernel/clock.js';
import type { Milliseconds } from '../../kernel/duration.js';
import type { PredicateReport } from '../../kernel/matcher.js';
import type { ErrorContext, ErrorSeverity } from '../error-context.js';
import { type Clean, makeClean } from '../record/clean.js';
import { ErrorReader } from '../record/facts.js';
import { makeCapture } from './captured.js';
import { ERROR_LOG_DEFAULTS, type ErrorLogOptions } from './error-log.options.js';
import { Group, Groups, type Kept, newestOf, type Shelf } from './groups.js';
import { MAX_ID, MAX_NAME, MAX_RULE, shown, weigh, type Writable } from './shown.js';
import { template } from './template.js';
import { Words } from './words.js';

/** One error and how it came about, as the log is told. */
export interface RecordInput {
  readonly error: unknown;
  readonly classification: Pick<Classification, 'category' | 'rule'>;
  readonly severity: ErrorSeverity;
  /** The target: `FeesClient.quote`. What stands behind its last point is the method. */
  readonly component: string;
  /** The dependency behind it. */
  readonly port?: string | undefined;
  readonly messageId?: string | undefined;
  readonly correlationId?: string | undefined;
  readonly traceId?: string | undefined;
  readonly sessionId?: string | undefined;
  /** The attempt that failed, counted from 1. */
  readonly attempt: number;
  /** Looked at by `capture` alone. */
  readonly args?: readonly unknown[] | undefined;
}

/** The errors of one kind. */
export interface ErrorGroup {
  readonly fingerprint: string;
  readonly component: string;
  /** Of the newest that is kept, as the next. */
  readonly category: ErrorCategory;
  readonly severity: ErrorSeverity;
  readonly name: string;
  /** What their messages have in common. */
  readonly template: string;
  /** How many came since the log began, or since the group was last given up for want of room. */
  readonly count: number;
  /** How many of them are kept. */
  readonly kept: number;
  /** Wall-clock time, milliseconds since 1970, by the clock as it is now; as the next. */
  readonly firstSeen: Milliseconds;
  readonly lastSeen: Milliseconds;
  /** How many a minute, of late. */
  readonly perMinute: number;
  /** The first that came, with its stack if it was read. */
  readonly sample: ErrorContext;
}

/** How much the log has seen. */
export interface ErrorTotals {
  /** All errors since the log began. */
  readonly recorded: number;
  /** How many of them are kept. */
  readonly kept: number;
  readonly groups: number;
  /** The groups that were given up for want of room, and how many errors they had counted. */
  readonly other: { readonly groups: number; readonly count: number };
}

/** Which entries are wanted. */
export interface ErrorQuery {
  /** At most so many. Default 100. */
  readonly limit?: number | undefined;
  readonly component?: string | undefined;
  readonly category?: ErrorCategory | undefined;
}

const MAX_GROUPS = 500;
const MAX_TEMPLATE = 200;
/** Bytes of all entries and groups; the words remembered and the tables themselves take the rest of 1 MB. */
const MAX_WEIGHT = 640_000;
const GROUP_WEIGHT = 700;
const MAX_STACKS = 60;
const MINUTE = 60_000;
const DEFAULT_LIST = 100;

/**
 * The errors of an application, grouped by kind. It keeps texts, never the errors, at most so many
 * of each kind, and all of them under 1 MB; whatever is kept is cleaned when it comes and again
 * when it is shown. It never throws for the sake of an error.
 */
export class ErrorLog {
  private readonly limit: number;
  private readonly perGroup: number;
  private readonly stacks: 'first' | 'all' | 'none';
  private readonly clean: Clean;
  private readonly words: Words;
  private readonly capture: ReturnType<typeof makeCapture> | undefined;
  private readonly groupsByName: Groups;
  /** All that is kept but the samples of the groups, the oldest first. */
  private readonly recent = new Map<number, Kept>();
  private weight = 0;
  private serial = 0;
  private recorded = 0;
  private other = { groups: 0, count: 0 };
  private stacksRead = 0;
  private stacksSince = Number.NEGATIVE_INFINITY;

  /** @param report hears once of a `redact` or a `capture` that fails */
  constructor(
    private readonly clock: Pick<Clock, 'now' | 'epoch'>,
    options: ErrorLogOptions = {},
    report: PredicateReport = () => {},
  ) {
    this.limit = options.limit ?? ERROR_LOG_DEFAULTS.limit;
    this.perGroup = options.perGroup ?? ERROR_LOG_DEFAULTS.perGroup;
    this.stacks = options.stacks ?? ERROR_LOG_DEFAULTS.stacks;
    this.clean = makeClean(options.redact, report);
    this.words = new Words(this.clean);
    this.groupsByName = new Groups(this.clean);
    const { capture } = options;
    this.capture = capture && makeCapture(capture, this.clean, report);
  }

  /** Keeps what is to be known of an error, and answers it. */
  record(input: RecordInput): ErrorContext {
    const now = this.clock.now();
    const reader = new ErrorReader(input.error, this.clean);
    const shelf = this.groupsByName.shelf(this.words.get(input.component, MAX_NAME));
    let common: string | undefined;
    const found = shelf.find(reader.facts, () => (common = template(reader.facts.message)));
    const first = typeof found === 'string';
    const group = first ? this.newGroup(shelf, found, common!, now) : found;
    group.add(now);
    this.recorded += 1;
    const facts = this.wantsStack(first, now) ? reader.withStack() : reader.facts;
    const entry = this.entryOf(input, group, shelf, facts, now);
    this.keep(entry, group);
    this.makeRoom();
    return entry;
  }

  /** The entries, newest first. */
  list({ limit = DEFAULT_LIST, component, category }: ErrorQuery = {}): ErrorContext[] {
    const all = [...this.recent.values()];
    for (const { sample } of this.groupsByName) if (sample !== undefined) all.push(sample);
    return all
      .filter(
        ({ entry }) =>
          (component === undefined || entry.component === component) &&
          (category === undefined || entry.category === category),
      )
      .sort((a, b) => b.serial - a.serial)
      .slice(0, Math.max(0, limit))
      .map(({ entry }) => shown(entry, this.clean));
  }

  /** The groups, the one seen last first. */
  groups(): ErrorGroup[] {
    const now = this.clock.now();
    const epoch = this.clock.epoch();
    return [...this.groupsByName]
      .sort((a, b) => newestOf(b).serial - newestOf(a).serial)
      .map((group) => {
        const sample = shown(group.sample!.entry, this.clean);
        const { category, severity } = newestOf(group).entry;
        return {
          fingerprint: group.fingerprint,
          component: sample.component,
          category,
          severity,
          name: sample.error.name,
          template: this.clean(group.template, MAX_TEMPLATE),
          count: group.count,
          kept: group.recent.length + 1,
          firstSeen: epoch - (now - group.firstAt),
          lastSeen: epoch - (now - group.lastAt),
          perMinute: group.rate.perMinute(now),
          sample,
        };
      });
  }

  /** One entry, if it is kept still. */
  get(id: string): ErrorContext | undefined {
    let found = this.recent.get(Number.parseInt(id.slice(1), 36));
    if (found?.entry.id !== id) found = undefined;
    for (const { sample } of this.groupsByName) if (sample?.entry.id === id) found = sample;
    return found && shown(found.entry, this.clean);
  }

  totals(): ErrorTotals {
    const groups = this.groupsByName.size;
    return {
      recorded: this.recorded,
      kept: this.recent.size + groups,
      groups,
      other: { ...this.other },
    };
  }

  /** Forgets everything. Ids are not given again. */
  reset(): void {
    this.groupsByName.clear();
    this.recent.clear();
    this.weight = 0;
    this.recorded = 0;
    this.other = { groups: 0, count: 0 };
  }

  private newGroup(shelf: Shelf, fingerprint: string, common: string, now: Milliseconds): Group {
    const group = new Group(fingerprint, this.clean(common, MAX_TEMPLATE), now);
    this.groupsByName.add(shelf, group);
    this.weight += GROUP_WEIGHT + 2 * group.template.length;
    return group;
  }

  private entryOf(
    input: RecordInput,
    group: Group,
    shelf: Shelf,
    error: ErrorContext['error'],
    now: Milliseconds,
  ): ErrorContext {
    const { words, clean } = this;
    const epoch = this.clock.epoch();
    this.serial += 1;
    const entry: Writable<ErrorContext> = {
      id: `e${this.serial.toString(36)}`,
      fingerprint: group.fingerprint,
      severity: input.severity,
      category: input.classification.category,
      rule: words.get(input.classification.rule ?? 'unknown', MAX_RULE),
      component: shelf.name,
      method: shelf.method,
      error,
      occurrences: group.count,
      firstOccurrence: epoch - (now - group.firstAt),
      lastOccurrence: epoch,
      recoveryAttempts: Math.max(0, input.attempt - 1),
    };
    if (input.port !== undefined) entry.port = words.get(input.port, MAX_NAME);
    if (input.messageId !== undefined) entry.messageId = clean(input.messageId, MAX_ID);
    const { correlationId, traceId, sessionId } = input;
    if (this.isFit(correlationId)) entry.correlationId = correlationId;
    if (this.isFit(traceId)) entry.traceId = traceId;
    if (this.isFit(sessionId)) entry.sessionId = sessionId;
    const kept = input.args && this.capture?.(input.args);
    if (kept !== undefined) entry.metadata = kept;
    return entry;
  }

  /** One that has to be redacted is kept of nobody: those of others would become the same. */
  private isFit(id: string | undefined): id is string {
    return id !== undefined && this.clean(id, MAX_ID) === id;
  }

  private wantsStack(first: boolean, now: Milliseconds): boolean {
    if (this.stacks !== 'first') return this.stacks === 'all';
    if (!first) return false;
    if (now - this.stacksSince >= MINUTE) {
      this.stacksSince = now;
      this.stacksRead = 0;
    }
    this.stacksRead += 1;
    return this.stacksRead <= MAX_STACKS;
  }

  private keep(entry: ErrorContext, group: Group): void {
    const kept = { entry, serial: this.serial, weight: weigh(entry), group };
    if (group.sample === undefined) {
      group.sample = kept;
    } else {
      if (this.perGroup === 1) return;
      if (group.recent.length + 1 >= this.perGroup) this.drop(group.recent[0]!);
      group.recent.push(kept);
      this.recent.set(kept.serial, kept);
    }
    this.weight += kept.weight;
  }

  /** @param kept the oldest of its group, which the oldest of all is too */
  private drop({ serial, weight, group }: Kept): void {
    group.recent.shift();
    this.recent.delete(serial);
    this.weight -= weight;
  }

  private makeRoom(): void {
    const { groupsByName, recent } = this;
    while (groupsByName.size > MAX_GROUPS) this.giveUpGroup();
    while (recent.size + groupsByName.size > this.limit || this.weight > MAX_WEIGHT) {
      const [oldest] = recent.values();
      if (oldest === undefined) this.giveUpGroup();
      else this.drop(oldest);
    }
  }

  private giveUpGroup(): void {
    const group = this.groupsByName.takeOne();
    while (group.recent.length > 0) this.drop(group.recent[0]!);
    this.weight -= group.sample!.weight + GROUP_WEIGHT + 2 * group.template.length;
    this.other.groups += 1;
    this.other.count += group.count;
  }
}
