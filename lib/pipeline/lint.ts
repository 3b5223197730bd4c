import { show } from '../kernel/check.js';
import { LINT_RULES, type TargetCode } from './lint-rules.js';
import { nearestNames } from './nearest-names.js';
import { type PolicyOverrides, type PolicySet, POLICY_LABELS } from './policy-set.js';

/** What the lint can find. Each is legal, and probably not what was meant. */
export type LintCode = TargetCode | 'UNUSED_OVERRIDE' | 'UNUSED_PRESET';

/** Something legal that is probably not what was meant. */
export interface LintFinding {
  readonly code: LintCode;
  /** The name of the target; of the override or the preset where these are meant. */
  readonly target: string;
  /** What is the matter, and what would be better. */
  readonly problem: string;
}

/** A finding that is meant as it is. */
export interface LintSuppression {
  code: LintCode;
  /** The name in the finding. Default: all names. */
  target?: string;
  /** Why it is meant so; for those who read the configuration. Required. */
  reason: string;
}

/** A name with its policies as they are: defaults, presets and overrides included. */
export interface LintTarget {
  readonly name: string;
  readonly policies: PolicySet;
}

/** What the configuration names. */
export interface LintConfig {
  readonly overrides?: Readonly<Record<string, PolicyOverrides>> | undefined;
  readonly presets?: Readonly<Record<string, PolicySet>> | undefined;
  /** The presets that somebody asked for. */
  readonly usedPresets?: ReadonlySet<string>;
}

export const LINT_CODES: readonly LintCode[] = [
  ...(Object.keys(LINT_RULES) as TargetCode[]),
  'UNUSED_OVERRIDE',
  'UNUSED_PRESET',
];

/** Everything that is odd about these targets and this configuration. */
export function lint(targets: readonly LintTarget[], config: LintConfig): LintFinding[] {
  const families = new Map<string, LintTarget[]>();
  for (const target of targets) {
    const family = families.get(base(target.name));
    if (family === undefined) families.set(base(target.name), [target]);
    else family.push(target);
  }
  return [
    ...targets.flatMap((target) => lintTarget(target, families.get(base(target.name))!)),
    ...unusedOverrides(targets, config.overrides ?? {}),
    ...unusedPresets(config.presets ?? {}, config.usedPresets ?? new Set()),
  ];
}

/** What is odd about one target among all. */
export function lintTarget(target: LintTarget, all: readonly LintTarget[]): LintFinding[] {
  const { name, policies } = target;
  const own = base(name);
  // the interceptors of a handler are several targets, and one's limit bounds another's queue
  const around = all.filter((other) => other.name.startsWith(own) && base(other.name) === own);
  return (Object.keys(LINT_RULES) as TargetCode[]).flatMap((code) =>
    LINT_RULES[code]({ name: own, policies, around: around.map((t) => t.policies) }).map(
      (problem) => ({ code, target: name, problem }),
    ),
  );
}

/** Those that nobody has said to be meant as they are. */
export function unsuppressed(
  findings: readonly LintFinding[],
  suppress: readonly LintSuppression[],
): LintFinding[] {
  return findings.filter(
    ({ code, target }) =>
      !suppress.some((s) => s.code === code && (s.target === undefined || s.target === target)),
  );
}

/** Without the number of an interceptor beside others of its kind. */
function base(name: string): string {
  return name.replace(/#\d+$/, '');
}

function unusedOverrides(
  targets: readonly LintTarget[],
  overrides: Readonly<Record<string, PolicyOverrides>>,
): LintFinding[] {
  const code = 'UNUSED_OVERRIDE';
  const names = [...new Set(targets.map(({ name }) => name))];
  return Object.entries(overrides).flatMap(([target, override]): LintFinding[] => {
    const named = targets.filter(({ name }) => name === target);
    if (named.length === 0) {
      const near = nearestNames(target, names).map(show);
      const hint = near.length === 0 ? '' : `; near to it are ${near.join(', ')}`;
      const problem = `nothing has this name yet, so what \`policies\` says of it has no effect${hint}`;
      return [{ code, target, problem }];
    }
    // to decorated methods an override adds the policy, to interceptors it does not
    return Object.entries(override)
      .filter(([kind, options]) => {
        const lacking = named.every((t) => t.policies[kind as keyof PolicySet] === undefined);
        return lacking && options !== undefined && options !== false;
      })
      .map(([kind]) => {
        const label = POLICY_LABELS[kind as keyof PolicySet].slice(1);
        const problem = `no interceptor of this handler has a ${label}, so what \`policies\` says of it has no effect; add a ${label}Interceptor`;
        return { code, target, problem };
      });
  });
}

function unusedPresets(
  presets: Readonly<Record<string, PolicySet>>,
  used: ReadonlySet<string>,
): LintFinding[] {
  return Object.keys(presets)
    .filter((preset) => !used.has(preset))
    .map((target) => ({
      code: 'UNUSED_PRESET',
      target,
      problem: 'nothing has asked for this preset yet: no decorator, no interceptor, no execute()',
    }));
}
