const QUOTES = `"'\``;
/** Part one word from the next; what is between them is looked at as a whole. */
const BETWEEN = ` \t"'\`()[]{}<>,;=|`;
/** What may differ has a digit, or one of the signs of addresses and paths. */
const MAY_DIFFER = /[\d@/\\]/;
const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;
const HEX = /^(?:0x)?[\da-f]{6,}$/i;
const ALL_DIGITS = /^\d+$/;
/** Also with a unit, and `1.5`; `,` parts words. */
const NUMBER = /\d+(?:\.\d+)*/g;
const ID = /^[\w-]{16,}$/;
const IP6_SIGNS = /^[\da-f:.%]+$/i;
const ROOTED = /^(?:~|\.{1,2}|[a-z]:)?[/\\]./i;

/**
 * The message without what differs from one error of a kind to the next: texts in quotes, URLs,
 * mail addresses, paths, UUIDs, IP addresses, hexadecimal numbers, long identifiers and numbers
 * are each replaced by a word in angle brackets. Linear in the length of the message.
 */
export function template(message: string): string {
  let out = '';
  let at = 0;
  // a kind of quote that is not closed any more is not looked for again
  const unclosed = new Set<string>();
  while (at < message.length) {
    const sign = message[at]!;
    if (QUOTES.includes(sign) && !unclosed.has(sign) && !isWord(message[at - 1])) {
      const end = closing(message, sign, at + 1);
      if (end >= 0) {
        out += '<text>';
        at = end + 1;
        continue;
      }
      unclosed.add(sign);
    }
    if (BETWEEN.includes(sign)) {
      out += sign;
      at += 1;
      continue;
    }
    let end = at + 1;
    while (end < message.length && !BETWEEN.includes(message[end]!)) end += 1;
    out += wordOf(message.slice(at, end));
    at = end;
  }
  return out;
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

function wordOf(word: string): string {
  if (!MAY_DIFFER.test(word)) return word;
  if (word.includes('://')) return '<url>';
  const at = word.indexOf('@');
  if (at > 0 && at < word.length - 1) return '<mail>';
  if (ROOTED.test(word)) return '<path>';
  const bare = word.replace(/[.:!?]$/, '');
  const end = word.slice(bare.length);
  const colons = bare.split(':').length - 1;
  if (colons > 1 && IP6_SIGNS.test(bare)) return `<ip>${end}`;
  // host:port, user:id, and pieces of a path
  return `${bare
    .split(/([:/\\@])/)
    .map(partOf)
    .join('')}${end}`;
}

function partOf(part: string): string {
  if (!/\d/.test(part)) return part;
  if (ALL_DIGITS.test(part)) return '<n>';
  if (part.split('.').length === 4 && /^[\d.]+$/.test(part)) return '<ip>';
  if (UUID.test(part)) return '<id>';
  if (HEX.test(part)) return '<id>';
  return ID.test(part) ? '<id>' : part.replace(NUMBER, '<n>');
}
