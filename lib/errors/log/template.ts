const DIGIT = 1;
/** Of addresses and paths: `@`, `/`, `\`. */
const PLACE = 2;
/** Any sign of a word that is none of these. */
const OTHER = 4;
/** Parts one word from the next. */
const BETWEEN = 8;
const QUOTE = 16;
const SIGNS = new Uint8Array(128).fill(OTHER);
for (const sign of '0123456789') SIGNS[sign.charCodeAt(0)] = DIGIT;
for (const sign of '@/\\') SIGNS[sign.charCodeAt(0)] = PLACE;
for (const sign of ' \t()[]{}<>,;=|') SIGNS[sign.charCodeAt(0)] = BETWEEN;
for (const sign of `"'\``) SIGNS[sign.charCodeAt(0)] = QUOTE;

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;
const HEX = /^(?:0x)?[\da-f]{6,}$/i;
/** Also with a unit, and `1.5`; a comma parts words. */
const NUMBER = /\d+(?:\.\d+)*/g;
/** What is shorter is neither an address nor an identifier. */
const LEAST_ID = 6;
const IP4 = /^\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}$/;
const IP6 = /^[\da-f.%]*:[\da-f.%]*:[\da-f:.%]*$/i;
const ID = /^[\w-]{16,}$/;
const ROOTED = /^(?:~|\.{1,2}|[a-z]:)?[/\\]./i;

/**
 * The message without what differs from one error of a kind to the next: texts in quotes, URLs,
 * mail addresses, paths, IP addresses, identifiers and numbers are each replaced by a word in
 * angle brackets. Linear in the length of the message.
 */
export function template(message: string): string {
  let out = '';
  let done = 0;
  let at = 0;
  // from where on no quote of the kind closes anything, so that it is not looked for again
  let open = '';
  while (at < message.length) {
    const kind = signAt(message, at);
    let word = '';
    let end = at + 1;
    if (kind === QUOTE) {
      const sign = message[at]!;
      const begins = !open.includes(sign) && !isWord(message[at - 1]);
      const close = begins ? closing(message, sign, end) : -1;
      if (close >= 0) {
        word = '<text>';
        // V8 cuts what it quotes
        end = close + (message.startsWith('...', close + 1) ? 4 : 1);
      } else if (begins) open += sign;
    } else if (kind !== BETWEEN) {
      let kinds = kind;
      let next = signAt(message, end);
      while (end < message.length && next < BETWEEN) {
        kinds |= next;
        end += 1;
        next = signAt(message, end);
      }
      if (kinds & PLACE) end = endOfUrl(message, at, end);
      if (kinds === DIGIT) word = '<n>';
      else if (kinds !== OTHER) word = wordOf(message.slice(at, end), kinds);
    }
    if (word !== '') {
      out += message.slice(done, at) + word;
      done = end;
    }
    at = end;
  }
  return done === 0 ? message : out + message.slice(done);
}

function signAt(message: string, at: number): number {
  const unit = message.charCodeAt(at);
  return unit < SIGNS.length ? SIGNS[unit]! : OTHER;
}

/** A URL has signs that part other words. */
function endOfUrl(message: string, from: number, to: number): number {
  const url = message.slice(from, to).includes('://');
  let end = to;
  if (!url) return end;
  while (end < message.length && /[^\s"'`()[\]{}<>|]/.test(message[end]!)) end += 1;
  return end;
}

/** An apostrophe within a word closes nothing. */
function closing(message: string, quote: string, from: number): number {
  let at = message.indexOf(quote, from);
  while (at >= 0 && isWord(message[at + 1])) at = message.indexOf(quote, at + 1);
  return at;
}

function isWord(sign: string | undefined): boolean {
  return sign !== undefined && /\w/.test(sign);
}

/** A word with digits, or with signs of addresses and paths. */
function wordOf(word: string, kinds: number): string {
  if (kinds & PLACE) {
    if (word.includes('://')) return '<url>';
    const at = word.indexOf('@');
    if (at > 0 && at < word.length - 1) return '<mail>';
    if (ROOTED.test(word)) return '<path>';
  }
  const bare = '.:!?'.includes(word.at(-1)!) ? word.slice(0, -1) : word;
  const end = word.slice(bare.length);
  if (IP6.test(bare)) return `<ip>${end}`;
  // host:port, user:id, and pieces of a path
  let out = '';
  let from = 0;
  for (let i = 0; i < bare.length; i += 1) {
    if (!':/\\@'.includes(bare[i]!)) continue;
    out += partOf(bare.slice(from, i)) + bare[i]!;
    from = i + 1;
  }
  return out + partOf(bare.slice(from)) + end;
}

function partOf(part: string): string {
  if (!/\d/.test(part)) return part;
  if (part.length >= LEAST_ID) {
    if (IP4.test(part)) return '<ip>';
    const id = UUID.test(part) || (HEX.test(part) && /[a-fx]/i.test(part)) || ID.test(part);
    if (id) return '<id>';
  }
  return part.replace(NUMBER, '<n>');
}
