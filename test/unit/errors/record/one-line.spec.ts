import { oneLine } from '../../../../lib/errors/record/one-line.js';

describe('a text on one line', () => {
  it.each([
    ['a line end and JSON behind it', 'a\n{"level":"fatal"}', 'a\\u000a{"level":"fatal"}'],
    ['a carriage return', 'a\rb', 'a\\u000db'],
    ['an ANSI sequence', '\u001b[2J', '\\u001b[2J'],
    ['the one-character form of it', '\u009b2J', '\\u009b2J'],
    ['a line separator', 'a\u2028b', 'a\\u2028b'],
    ['a paragraph separator', 'a\u2029b', 'a\\u2029b'],
    ['a direction override', 'a\u202eb', 'a\\u202eb'],
    ['an embedding', 'a\u202ab', 'a\\u202ab'],
    ['an isolate', 'a\u2066b\u2069', 'a\\u2066b\\u2069'],
    ['directional marks', '\u200e\u200f\u061c', '\\u200e\\u200f\\u061c'],
    ['a tab, a backspace, a null', '\t\b\0', '\\u0009\\u0008\\u0000'],
    ['delete', '\u007f', '\\u007f'],
    ['half a character', 'a\ud83d', 'a\\ud83d'],
  ])('#167 escapes %s', (_, text, expected) => {
    expect(oneLine(text)).toBe(expected);
    expect(oneLine(expected)).toBe(expected);
  });

  it.each(['plain', '', 'Größe: 5 €', '漢字', '😀', 'a\\nb'])('leaves %p as it is', (text) => {
    expect(oneLine(text)).toBe(text);
  });
});
