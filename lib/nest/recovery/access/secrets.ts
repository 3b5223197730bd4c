import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { checkObject, isOptionsObject, type Mistake, show } from '../../../kernel/check.js';
import type { RecoveryLevel } from './operations.js';

/** From the least to the most; each includes those before it. */
export const LEVELS: readonly RecoveryLevel[] = ['read', 'operate', 'danger'];

const MIN_LENGTH = 32;
const MAX_LENGTH = 512;
/** No option has a longer one. */
const MAX_NAME = 16;
/** Fewer different signs than any random secret of that length has. */
const MIN_SIGNS = 8;
/** What a header can carry as one word. */
const WORD = /^[\x21-\x7e]+$/;
/** What documentation, templates and people in a hurry write. Every example of ours has one of these words. */
const EXAMPLE =
  /example|change-?_?me|replace-?_?(?:me|this)|placeholder|your-?_?(?:secret|token)|0123456789abcdef/i;

interface Secret {
  readonly digest: Buffer;
  readonly level: RecoveryLevel;
}

/** Who has which secret. Keeps none of them: only what SHA-256 makes of them. */
export class Secrets {
  private readonly secrets: readonly Secret[];

  /** @param tokens checked by `tokenMistakes` */
  constructor(tokens: Partial<Record<RecoveryLevel, string | readonly string[]>>) {
    this.secrets = LEVELS.flatMap((level) =>
      [tokens[level] ?? []].flat().map((token) => ({ digest: digestOf(token), level })),
    );
  }

  /** The level of a secret, and a name for who has it. Takes as long for a wrong one. */
  find(token: string): { level: RecoveryLevel; actor: string } | undefined {
    const digest = digestOf(token);
    let found: Secret | undefined;
    for (const secret of this.secrets) if (timingSafeEqual(secret.digest, digest)) found = secret;
    // 32 bits of the digest of a secret that nobody can guess tell nothing of it
    return (
      found && {
        level: found.level,
        actor: `${found.level}-token:${digest.toString('hex').slice(0, 8)}`,
      }
    );
  }
}

/** A secret that nobody has seen. */
export function freshToken(): string {
  return randomBytes(32).toString('base64url');
}

/** Everything for which tokens cannot be secrets. None of them is in the messages. */
export function tokenMistakes(at: string, tokens: unknown): Mistake[] {
  const mistakes = checkSecretive(at, tokens, '{ read?, operate?, danger? }');
  if (mistakes.length > 0) return mistakes;
  const given = Object.entries(tokens as object) as [string, unknown][];
  if (given.length === 0) return [{ at, problem: 'got none, expected a token for a level' }];
  const seen = new Map<string, string>();
  for (const [level, value] of given) {
    const where = `${at} ${nameShown(level)}`;
    if (!LEVELS.includes(level as RecoveryLevel)) {
      mistakes.push({ at: where, problem: `unknown level; known are ${LEVELS.join(', ')}` });
      continue;
    }
    const list: unknown[] = Array.isArray(value) ? value : [value];
    if (list.length === 0 || list.length > 2)
      mistakes.push({ at: where, problem: `got ${show(value)}, expected one token or two` });
    for (const token of list) {
      const problem = problemOf(token) ?? sameAs(seen.get(token as string));
      if (problem === undefined) seen.set(token as string, where);
      else mistakes.push({ at: where, problem });
    }
  }
  return mistakes;
}

/** Like `checkObject`, of what may be a secret in the wrong place. */
export function checkSecretive(at: string, value: unknown, expected: string): Mistake[] {
  if (isOptionsObject(value)) return checkObject(at, value, expected);
  return [{ at, problem: `got ${kindShown(value)}, expected ${expected}` }];
}

/** What a value is, and not what it says. */
export function kindShown(value: unknown): string {
  const isOpen = value === undefined || typeof value === 'object' || typeof value === 'function';
  return isOpen ? show(value) : `a ${typeof value}`;
}

/** A name, unless it is as long as what is kept secret: tokens are given as names too. */
export function nameShown(name: string): string {
  return name.length > MAX_NAME ? `a name of ${name.length} characters` : name;
}

function problemOf(token: unknown): string | undefined {
  if (token === undefined)
    return 'got undefined, expected a token; is the environment variable set?';
  if (typeof token !== 'string') return `got ${kindShown(token)}, expected a token`;
  if (token.trim() === '') return 'got an empty text, expected a token';
  const hint = 'make one with `openssl rand -hex 32`';
  if (EXAMPLE.test(token)) return `got an example, which everybody knows; ${hint}`;
  if (token.length < MIN_LENGTH || token.length > MAX_LENGTH)
    return `got ${token.length} characters, expected ${MIN_LENGTH} to ${MAX_LENGTH}; ${hint}`;
  if (!WORD.test(token)) return 'got blanks or signs that no header can carry, expected one word';
  if (new Set(token).size < MIN_SIGNS) return `got the same few signs again and again; ${hint}`;
  return undefined;
}

function sameAs(other: string | undefined): string | undefined {
  return other && `got the same as ${other}, expected a token of its own`;
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
