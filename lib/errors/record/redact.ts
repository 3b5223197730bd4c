import { elementAt, encodedAt } from './secret-elsewhere.js';
import { endOfValue, secretName, skipBlanks, type Span, valueAfter } from './secret-value.js';
import { UserInfo } from './user-info.js';

/** Stands for a secret that was taken out of a text. */
export const REDACTED = '[redacted]';

/**
 * How tokens begin that say themselves what they are: JWT, AWS, GitHub, GitLab, npm, Slack, Stripe,
 * Google, OpenAI and Anthropic, SendGrid, Shopify, Hugging Face, Vault.
 */
const TOKEN =
  /eyJ|AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|npm_|xox[abeoprs]-|xapp-|[rs]k_(?:live|test)_|AIza|ya29\.|sk-|SG\.|shp(?:at|ca|pa|ss)_|hf_|hv[bs]\./y;
const SCHEME = /(?:bearer|basic)(?:[ \t\n\r\u00a0]|%20)/iy;
/** What follows `Bearer` and `Basic` where people talk about them. */
const PROSE =
  /^(?:auth|authentication|authorization|credentials?|error|header|realm|scheme|tokens?)$/i;
const TOKEN_SIGN = /[\w.~+/=-]/;
/** The shortest that is taken for one; a shorter one is one only if the text was cut in it. */
const MIN_TOKEN = 20;
const BACKSLASH = 92;
/** The slashes are escaped in the JSON of some. */
const URL_START = /:(?:\/|\\\/){2}/y;
const PEM = '-----BEGIN ';

/** What a character may be the beginning of, or stand in the middle of, by its code. */
const TOKEN_START = 1;
const SEPARATOR = 2;
const PEM_START = 3;
const KIND = table([
  ['eAgnxrsbBShy', TOKEN_START],
  [':=,%<', SEPARATOR],
  ['-', PEM_START],
]);
const IN_WORD = table([['-_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ', 1]]);

function table(rows: readonly (readonly [signs: string, kind: number])[]): Uint8Array {
  const kinds = new Uint8Array(128);
  for (const [signs, kind] of rows) for (const sign of signs) kinds[sign.charCodeAt(0)] = kind;
  return kinds;
}

/**
 * Takes the secrets out of a text, each replaced by `[redacted]`: passwords in URLs of any scheme,
 * bearer and basic credentials, JWTs, keys and tokens of well-known makes, PEM blocks, cookies and
 * authorization headers, and the values of secret names in JSON, query strings, connection strings
 * and printed objects. When in doubt it takes too much.
 *
 * Done again it may take more, where texts ran together, and never gives back. Linear in the length
 * of the text, by construction: one walk forwards
 * stops at the few signs where a secret can begin; what is read from there on is either taken out,
 * and the walk goes on behind it, or of a bounded length, or read once for all (`UserInfo`). No
 * pattern in it repeats anything without a bound over a text of any length.
 */
export function redact(text: string): string {
  let kept = '';
  let done = 0;
  let urls: UserInfo | undefined;
  for (let i = 0; i < text.length; i += 1) {
    const kind = KIND[text.charCodeAt(i)];
    if (!kind) continue; // 0, or beyond the table
    let secret: Span | undefined;
    if (kind === TOKEN_START) {
      // of `\n` in a text that was written as JSON the n is no letter
      if (i > 0 && IN_WORD[text.charCodeAt(i - 1)] && text.charCodeAt(i - 2) !== BACKSLASH)
        continue;
      secret = tokenAt(text, i);
    } else if (kind === PEM_START) secret = pemAt(text, i);
    else {
      URL_START.lastIndex = i;
      secret = URL_START.test(text)
        ? (urls ??= new UserInfo(text)).after(i, URL_START.lastIndex)
        : namedAt(text, i, done);
    }
    if (secret === undefined) continue;
    kept += text.slice(done, secret.from) + REDACTED;
    done = secret.to;
    i = done - 1;
  }
  return done === 0 ? text : kept + text.slice(done);
}

function tokenAt(text: string, from: number): Span | undefined {
  SCHEME.lastIndex = from;
  if (SCHEME.test(text)) return credentials(text, SCHEME.lastIndex);
  TOKEN.lastIndex = from;
  if (!TOKEN.test(text)) return undefined;
  let to = from;
  while (to < text.length && TOKEN_SIGN.test(text[to]!)) to += 1;
  const cut = to === text.length && text.endsWith('...');
  return to - from >= MIN_TOKEN || cut ? { from, to } : undefined;
}

function credentials(text: string, after: number): Span | undefined {
  const from = skipBlanks(text, after);
  const to = endOfValue(text, from);
  const prose = to - from <= 16 && PROSE.test(text.slice(from, to));
  return to > from && !prose ? { from, to } : undefined;
}

/** To the end of the block, or of the text if it was cut. */
function pemAt(text: string, from: number): Span | undefined {
  if (!text.startsWith(PEM, from)) return undefined;
  const end = text.indexOf('-----END ', from + PEM.length);
  const close = end < 0 ? -1 : text.indexOf('-----', end + 9);
  return { from, to: close < 0 ? text.length : close + 5 };
}

/** @param done where the walk went on last: what is before it was taken out and names nothing */
function namedAt(text: string, separator: number, done: number): Span | undefined {
  if (text[separator] === '<') return elementAt(text, separator);
  if (text[separator] === '%') return encodedAt(text, separator, done);
  const name = secretName(text, separator, done);
  return name === undefined ? undefined : valueAfter(text, separator, name);
}
