import { checkOptions, type Mistake, type OptionRules, show } from '../../kernel/check.js';
import type { AttachOptions, Closable } from '../recovery-manager.js';

const RULES: OptionRules<AttachOptions> = {
  exit: (v) =>
    v === false || typeof v === 'function' ? undefined : 'false, or a function that takes a code',
  signals: (v) =>
    v === false || (Array.isArray(v) && v.every((s) => typeof s === 'string' && /^SIG/.test(s)))
      ? undefined
      : 'false, or names of signals such as SIGTERM',
};

/** What is wrong with the arguments of `attach`. */
export function checkAttach(app: Closable, options: AttachOptions): Mistake[] {
  const at = 'RecoveryManager.attach';
  const given: unknown = app;
  const isObject = (typeof given === 'object' || typeof given === 'function') && given !== null;
  const canClose = isObject && typeof (given as Partial<Closable>).close === 'function';
  const problem = `got ${show(given)}, expected the application that NestFactory made`;
  return [...(canClose ? [] : [{ at: `${at} app`, problem }]), ...checkOptions(at, options, RULES)];
}
