import type { Clean } from '../../errors/record/clean.js';
import { show } from '../../kernel/check.js';
import type { CorruptionReport, IntegrityIssue } from '../recovery-report.js';

/** So many issues are kept; more are counted. */
const MAX_ISSUES = 1_000;
/** In characters. */
const MAX_PLACE = 200;
const MAX_PROBLEM = 500;

/** What checks found, bounded and fit to be shown. */
export class Findings {
  private readonly issues: IntegrityIssue[] = [];
  private issueCount = 0;
  private readonly checks: string[] = [];
  private check = '';

  constructor(private readonly clean: Clean) {}

  get report(): Pick<CorruptionReport, 'issues' | 'issueCount' | 'checks'> {
    const { issues, issueCount, checks } = this;
    return { issues, issueCount, checks };
  }

  /** What comes from now on is of this check. */
  begin(check: string): void {
    this.check = check;
    this.checks.push(check);
  }

  /** The check could not say, which is an issue. */
  failed(why: string): void {
    this.note({ problem: `check could not be run: ${why}` });
  }

  /** One thing that the check answered: an issue, or nothing. */
  add(answered: unknown): void {
    if (answered === undefined) return;
    this.note(issueOf(answered) ?? { problem: nonsense(answered) });
  }

  private note({ at, problem }: Said): void {
    this.issueCount += 1;
    if (this.issues.length >= MAX_ISSUES) return;
    const { check, clean } = this;
    const place = at === undefined ? {} : { at: clean(at, MAX_PLACE) };
    this.issues.push({ check, ...place, problem: clean(problem, MAX_PROBLEM) });
  }
}

interface Said {
  readonly at?: string;
  readonly problem: string;
}

function issueOf(answered: unknown): Said | undefined {
  if (typeof answered === 'string') return answered === '' ? undefined : { problem: answered };
  if (typeof answered !== 'object' || answered === null) return undefined;
  const { at, problem } = answered as { at?: unknown; problem?: unknown };
  if (typeof problem !== 'string' || problem === '') return undefined;
  return typeof at === 'string' && at !== '' ? { at, problem } : { problem };
}

function nonsense(answered: unknown): string {
  return `check could not be run: it answered ${show(answered)}, expected words or { at, problem }`;
}
