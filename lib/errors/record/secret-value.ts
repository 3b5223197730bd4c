/** Where a secret is: from its first character up to, not including, `to`. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

const QUOTES = `"'\``;
const OPENING = '[{(';
const CLOSING = ']})';
/** Ends a value that has no quotes, if nothing else follows that belongs to it. */
const MAYBE_END = `${QUOTES}${CLOSING},>`;

/** The quote at a place, with the backslashes before it: JSON within JSON has one, and so on. */
interface Quote {
  readonly sign: string;
  readonly slashes: number;
  readonly after: number;
}

/** What stands before a separator, if it is the name of a secret. */
export interface SecretName {
  /** Whether it is in quotes, as in JSON. */
  readonly quoted: boolean;
  /** Whether it is a header whose value goes on to the end of the line. */
  readonly header: boolean;
}

/** Names whose values are secret, also as part of a longer name such as `DB_PASSWORD` or `x-api-key`. */
const NAME = new RegExp(
  [
    'pass(?:word|wd|phrase|code)',
    'pwd|secret|token|authorization|bearer|cookie|credential|signature|jwt|[cx]srf',
    '(?:api|access|account|auth|private|signing|encryption|master)[_ -]?key',
    'sess(?:ion)?[_-]?id|(?<![a-z])sid(?![a-z])',
    '(?:pass|auth|sig)(?![a-z])',
  ].join('|'),
  'i',
);
const HEADER = /(?:authorization|cookie)$/i;
const SCHEME = /^(?:bearer|basic|digest|token|negotiate)$/i;
const MAX_NAME = 64;
/** Quotes and brackets around a name in a URL. */
const ENCODED_QUOTE = /%(?:2[27]|5[bd])/i;

/** Whether a name is one of those whose values are secret. */
export function isSecretName(name: string): boolean {
  return NAME.test(name);
}

/** Looks back from a separator, no further than to `from`: `"password" :`, `user[password]=`, `api key:`. */
export function secretName(text: string, separator: number, from: number): SecretName | undefined {
  let end = separator;
  while (end > from && isBlank(text[end - 1]!)) end -= 1;
  const last = text[end - 1];
  const quoted = last !== undefined && QUOTES.includes(last);
  // `'Cookie', 'a=b'` is how lists of raw headers are printed
  if (text[separator] === ',' && !quoted) return undefined;
  const bound = Math.max(from, end - MAX_NAME);
  while (end > bound && `\\[]${QUOTES}`.includes(text[end - 1]!)) end -= 1;
  while (end - 3 >= bound && ENCODED_QUOTE.test(text.slice(end - 3, end))) end -= 3;
  // what was taken for a value was a name, and the value of a secret at that: `password: 'secret' => …`
  if (end === from && from > 0)
    return text[separator] === ',' ? undefined : { quoted, header: false };
  let start = startOfWord(text, end, bound);
  if (/^key$/i.test(text.slice(start, end)) && text[start - 1] === ' ')
    start = startOfWord(text, start - 1, bound);
  const name = text.slice(start, end);
  return isSecretName(name) ? { quoted, header: HEADER.test(name) } : undefined;
}

function startOfWord(text: string, end: number, bound: number): number {
  let start = end;
  while (start > bound && /[\w-]/.test(text[start - 1]!)) start -= 1;
  return start;
}

/** Where the value of a secret name is, if there is one behind the separator. */
export function valueAfter(
  text: string,
  separator: number,
  { quoted, header }: SecretName,
): Span | undefined {
  const from = skipBlanks(text, text[separator + 1] === '>' ? separator + 2 : separator + 1);
  const quote = header && !quoted ? undefined : quoteAt(text, from);
  if (quote !== undefined) return { from: quote.after, to: endOfText(text, quote) };
  const inner = endOfBrackets(text, from);
  const toLine = header && !(quoted && inner > from);
  let to = toLine ? endOfLine(text, inner) : endOfPlain(text, inner);
  let last = from;
  while (to > last && leadsOn(text.slice(last, to))) {
    last = skipBlanks(text, to);
    const opened = quoteAt(text, last);
    to = opened === undefined ? endOfValue(text, last) : endOfText(text, opened);
  }
  return to > from ? { from, to } : undefined;
}

/** Whether a value was the name of another, or the scheme of credentials, which come next. */
function leadsOn(value: string): boolean {
  return /[:=]$/.test(value) || (value.length < 10 && SCHEME.test(value));
}

/** JSON within JSON, five deep; bounded, for the same place may be asked about more than once. */
const MAX_SLASHES = 31;

function quoteAt(text: string, at: number): Quote | undefined {
  let i = at;
  while (text[i] === '\\' && i - at < MAX_SLASHES) i += 1;
  const sign = text[i];
  if (sign === undefined || !QUOTES.includes(sign)) return undefined;
  return { sign, slashes: i - at, after: i + 1 };
}

/**
 * A quote closes what one with n backslashes before it opened, if it has n itself after whole
 * pairs of escaped backslashes: at each depth these are written with twice as many and one more.
 * What is not closed was cut, and reaches to the end.
 */
function endOfQuoted(text: string, { sign, slashes, after }: Quote): number {
  let run = 0;
  for (let i = after; i < text.length; i += 1) {
    if (text[i] === '\\') {
      run += 1;
      continue;
    }
    if (text[i] === sign && run % (2 * (slashes + 1)) === slashes) return i - slashes;
    run = 0;
  }
  return text.length;
}

/** A quote before a word did not close: one before was left open, and this one opens another secret. */
function endOfText(text: string, quote: Quote): number {
  let end = endOfQuoted(text, quote);
  // SQL and CSV write a quote within quotes twice
  while (quote.slashes === 0 && text[end + 1] === quote.sign)
    end = endOfQuoted(text, { ...quote, after: end + 2 });
  const behind = end + quote.slashes + 1;
  return /\w/.test(text[behind] ?? '') ? endOfPlain(text, behind) : end;
}

/** The end of a list or object that begins here, or the same place if none does. */
function endOfBrackets(text: string, at: number): number {
  if (!OPENING.includes(text[at] ?? ' ')) return at;
  let depth = 0;
  let i = at;
  while (i < text.length) {
    const quote = quoteAt(text, i);
    if (quote !== undefined) {
      i = endOfQuoted(text, quote) + quote.slashes + 1;
      continue;
    }
    const sign = text[i]!;
    if (OPENING.includes(sign)) depth += 1;
    else if (CLOSING.includes(sign)) depth -= 1;
    i += 1;
    if (depth === 0) return i;
  }
  return text.length;
}

/** The end of a value without quotes, which may be a list or an object. */
export function endOfValue(text: string, at: number): number {
  return endOfPlain(text, endOfBrackets(text, at));
}

/** Better too far than half a secret. */
function endOfPlain(text: string, at: number): number {
  let i = at;
  while (i < text.length && !endsAt(text, i)) i += 1;
  return i;
}

function endsAt(text: string, at: number): boolean {
  const sign = text[at]!;
  if (sign === ';' || sign === '&' || isBlank(sign) || isLineEnd(text, at)) return true;
  if (!MAYBE_END.includes(sign)) return false;
  const next = text[at + 1];
  return next === undefined || isBlank(next) || next === ';' || MAYBE_END.includes(next);
}

function endOfLine(text: string, at: number): number {
  let i = at;
  while (i < text.length && !isLineEnd(text, i)) i += 1;
  return i;
}

/** Line ends may be written out: by JSON, or by ourselves. */
function isLineEnd(text: string, at: number): boolean {
  const sign = text[at];
  if (sign === '\n' || sign === '\r') return true;
  if (sign !== '\\') return false;
  const next = text[at + 1];
  return next === 'n' || next === 'r' || text.startsWith('u000', at + 1);
}

export function isBlank(sign: string): boolean {
  return sign === ' ' || sign === '\t' || sign === '\n' || sign === '\r';
}

export function skipBlanks(text: string, at: number): number {
  let i = at;
  while (text[i] === ' ' || text[i] === '\t') i += 1;
  return i;
}
