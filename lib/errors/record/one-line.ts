/** Most texts are plain, and a plain text is found out at once. */
const NOT_PLAIN = /[^\x20-\x7e]/;
/**
 * What ends a line, moves a cursor, turns the direction of writing, or is half a character: the
 * control characters (ANSI sequences begin with one), the line and paragraph separators, the
 * directional marks, embeddings, overrides and isolates, and single surrogates.
 */
// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\p{Cs}]/gu;

/**
 * The text as one physical line that says what it seems to say, wherever it is printed: every
 * character that could forge a line or hide one is written as `\uXXXX`. Done twice it is the same.
 */
export function oneLine(text: string): string {
  return NOT_PLAIN.test(text) ? text.replace(UNSAFE, escaped) : text;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
