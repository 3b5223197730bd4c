import { oneLine } from '../../../../lib/errors/record/one-line.js';
import { redact } from '../../../../lib/errors/record/redact.js';
import { template } from '../../../../lib/errors/log/template.js';

const SIZE = 300_000;
const fill = (piece: string): string => piece.repeat(Math.ceil(SIZE / piece.length));

const TEXTS: Record<string, string> = {
  letters: fill('a'),
  bearers: fill('Bearer '),
  'bearers without blanks': fill('bearer'),
  'basic prose': fill('Basic auth '),
  quotes: fill('"'),
  'nested quotes': fill('\\"'),
  backslashes: `token=[${fill('\\')}`,
  'backslashes in quotes': `token="${fill('\\')}`,
  'quotes of all kinds': fill(`"'\``),
  brackets: `token=${fill('[')}`,
  'lists of quotes': `token=${fill(`['"`)}`,
  colons: fill(':'),
  'colons and blanks': fill(':   '),
  equals: fill('='),
  commas: fill('",'),
  schemes: fill('://'),
  'schemes and colons': fill('a:b://'),
  'schemes and slashes': fill('x:///'),
  'schemes and ats': fill('://@'),
  'schemes after an at': fill('http://h/@'),
  names: fill('password'),
  'names and colons': fill('password:'),
  'names that lead on': fill('password: '),
  'keys in words': fill('key '),
  'keys and colons': fill('key :'),
  jwts: fill('eyJ'),
  'short jwts': fill('eyJ '),
  elements: fill('<token>'),
  'ends of elements': fill('>'),
  'an element and ends': `<token ${fill('a>')}`,
  'encoded schemes': fill('%3A%2F%2F'),
  'encoded names': fill('token%3D '),
  'quotes twice': `token='${fill("''x")}`,
  pems: fill('-----BEGIN '),
  'short pems': fill('-----BEGIN -----END '),
  dashes: fill('-'),
  cookies: fill('cookie: \\'),
  numbers: fill('1'),
  'numbers with points': fill('1.'),
  'numbers and colons': fill('1:'),
  'hex and dashes': fill('a1-'),
  ats: fill('1@'),
  slashes: fill('1/'),
  apostrophes: fill("a'b "),
  'quotes before words': fill(` "a`),
  'control characters': fill('\n\u001b'),
};

// 10^11 steps would take minutes: that it ends within the time of a test says that it is not quadratic
describe.each(Object.entries(TEXTS))('#165 of 300,000 signs of %s', (_, text) => {
  it.each([
    ['redaction', redact],
    ['the template', template],
    ['one line', oneLine],
  ] as const)('%s is made in linear time', (_name, make) => {
    expect(typeof make(text)).toBe('string');
  });
});
