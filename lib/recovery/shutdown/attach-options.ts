import { checkObject, checkOptions, type Mistake, type OptionRules } from '../../kernel/check.js';
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
  const wrong = checkObject(`${at} app`, app, 'the application that NestFactory made');
  if (wrong.length === 0 && typeof app.close !== 'function')
    wrong.push({ at: `${at} app`, problem: 'has no method close, expected a Nest application' });
  return [...wrong, ...checkOptions(at, options, RULES)];
}
