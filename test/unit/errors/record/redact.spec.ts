import fc from 'fast-check';
import { redact } from '../../../../lib/errors/record/redact.js';

const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.s1gnature-_x';
const KEY = 'AKIAIOSFODNN7EXAMPLE';

/** What comes, and what is left of it. */
const ROWS: readonly (readonly [what: string, text: string, left: string])[] = [
  // user information in URLs
  ['a postgres URL', 'postgres://app:s3cret@db:5432/x', 'postgres://[redacted]@db:5432/x'],
  ['a redis URL without a user', 'redis://:s3cret@r:6379', 'redis://[redacted]@r:6379'],
  ['an amqp URL', 'to amqp://u:s3cret@mq/vh failed', 'to amqp://[redacted]@mq/vh failed'],
  ['a URL of any scheme', 'a+b.c://u:s3cret@h', 'a+b.c://[redacted]@h'],
  ['a web URL', 'https://u:s3cret@h/p?q=1', 'https://[redacted]@h/p?q=1'],
  ['a token as the user', 'https://s3cret@github.com/a', 'https://[redacted]@github.com/a'],
  ['a user alone', 'postgres://app@db/x', 'postgres://[redacted]@db/x'],
  ['several hosts', 'mongodb://u:s3cret@a,b/x', 'mongodb://[redacted]@a,b/x'],
  ['two URLs', 'x://u:s3cret@a y://u:s3cret@b', 'x://[redacted]@a y://[redacted]@b'],
  ['two URLs in a run', 'x://u:s3cret@a,y://v:s3cret@b', 'x://[redacted]@b'],
  ['a slash in a password', 'postgres://u:s3/cret@h/x', 'postgres://[redacted]@h/x'],
  ['an @ in a password', 'postgres://u:s3@cret@h/x', 'postgres://[redacted]@h/x'],
  ['an @ and a slash', 'redis://:s3@c/ret@h', 'redis://[redacted]@h'],
  ['a # in a password', 'https://u:s3#cret@h/x', 'https://[redacted]@h/x'],
  ['a quote in a password', 'amqp://u:s3"cret@h', 'amqp://[redacted]"cret@h'],
  ['a URL cut in its password', 'postgres://u:s3cr...', 'postgres://[redacted]'],
  ['a URL cut in a password of digits', 'postgres://u:123...', 'postgres://[redacted]'],
  ['a URL in JSON', '"x:\\/\\/u:s3cret@h\\/p"', '"x:\\/\\/[redacted]@h\\/p"'],
  ['a URL in a URL', 'to=x%3A%2F%2Fu%3As3cret%40h&a', 'to=x%3A%2F%2F[redacted]%40h&a'],
  ['a name in a URL in a URL', 'to=%3Fpassword%3Ds3cret', 'to=%3Fpassword%3D[redacted]'],
  ['JSON in a URL', '%22token%22%3A%22s3cret%22&a', '%22token%22%3A[redacted]&a'],
  ['a form with brackets', 'user%5Bpassword%5D=s3cret&a', 'user%5Bpassword%5D=[redacted]&a'],
  ['a list in a form', 'password[]=s3cret&a', 'password[]=[redacted]&a'],
  [
    'an element that attributes do not cut',
    '<o:Password t="x">s3cret</o:Password>',
    '<o:Password t="x">[redacted]</o:Password>',
  ],
  ['an element', '<token>s3cret</token>', '<token>[redacted]</token>'],
  ['a cut element', '<token>s3cr...', '<token>[redacted]'],
  ['an SQL text that two quotes do not cut', "password='it''s3cret' x", "password='[redacted]' x"],
  // schemes
  ['a bearer on a line of JSON', '{"a":"x\\nBearer s3cret"}', '{"a":"x\\nBearer [redacted]"}'],
  ['a JWT on a line of JSON', `x\\n${JWT}`, 'x\\n[redacted]'],
  ['a bearer in a URL', 'h=Bearer%20s3cret&a', 'h=Bearer%20[redacted]&a'],
  ['a bearer with a colon', 'bearer: s3cret', 'bearer: [redacted]'],
  ['an OpenAI key', 'sk-proj-s3cret0123456789', '[redacted]'],
  ['a session of PHP', 'PHPSESSID=s3cret', 'PHPSESSID=[redacted]'],
  ['a session of Express', 'connect.sid=s3cret', 'connect.sid=[redacted]'],
  ['a bearer', 'got Bearer s3cret', 'got Bearer [redacted]'],
  ['a bearer in another case', 'BEARER  s3cret|x:y, next', 'BEARER  [redacted], next'],
  ['basic', 'Basic dXNlcjpwYXNz!', 'Basic [redacted]'],
  // tokens
  ['a JWT', `invalid ${JWT}`, 'invalid [redacted]'],
  ['a JWT in quotes', `"${JWT}"`, '"[redacted]"'],
  ['a cut JWT', 'bad eyJhbGci...', 'bad [redacted]'],
  ['an AWS key', `${KEY} is not valid`, '[redacted] is not valid'],
  ['a cut AWS key', 'for AKIAIO...', 'for [redacted]'],
  ['a GitHub token', 'ghp_0123456789abcdef0123', '[redacted]'],
  ['a Slack token', '(xoxb-0123456789-abcdefghij)', '([redacted])'],
  ['a Stripe key', 'sk_live_0123456789abcdef', '[redacted]'],
  ['an npm token', 'npm_0123456789abcdefghij', '[redacted]'],
  ['a Google key', 'AIzaSyA0123456789abcdefg', '[redacted]'],
  // PEM
  ['a PEM block', 'a -----BEGIN RSA KEY-----\nxyz\n-----END RSA KEY----- b', 'a [redacted] b'],
  ['a PEM block written out', '-----BEGIN K-----\\nx\\n-----END K-----!', '[redacted]!'],
  ['a cut PEM block', 'a -----BEGIN K-----\nxyz...', 'a [redacted]'],
  ['a PEM block cut in its end', '-----BEGIN K-----\nxyz\n-----END K', '[redacted]'],
  [
    'two PEM blocks',
    '-----BEGIN K-----x-----END K-----,-----BEGIN K-----',
    '[redacted],[redacted]',
  ],
  // headers
  ['a cookie', 'Cookie: a=b; c="d"\nHost: x', 'Cookie: [redacted]\nHost: x'],
  ['a set-cookie', 'set-cookie: a=b; Path=/\r\nx', 'set-cookie: [redacted]\r\nx'],
  ['a cookie where lines are written out', 'Cookie: a b\\nHost: x', 'Cookie: [redacted]\\nHost: x'],
  ['and where we have done so', 'Cookie: a b\\u000aHost: x', 'Cookie: [redacted]\\u000aHost: x'],
  ['a digest', 'Authorization: Digest a="b", c="d"', 'Authorization: [redacted]'],
  ['a proxy', 'Proxy-Authorization: x y z', 'Proxy-Authorization: [redacted]'],
  ['headers printed', "{ cookie: 'a=b', host: 'x' }", '{ cookie: [redacted]'],
  ['headers as JSON', '{"Cookie":"a=b; c=d","host":"x"}', '{"Cookie":"[redacted]","host":"x"}'],
  [
    'raw headers',
    "[ 'Cookie', 'a=b; c=d', 'Host', 'x' ]",
    "[ 'Cookie', '[redacted]', 'Host', 'x' ]",
  ],
  ['a list', "'set-cookie': [ 'a=b', 'c=d' ], x: 1", "'set-cookie': [redacted], x: 1"],
  ['a list with brackets in it', `"cookie":["a]","b\\"]"],"x":1`, '"cookie":[redacted],"x":1'],
  // names and values
  ['api_key=', 'GET /x?api_key=s3cret&y=1', 'GET /x?api_key=[redacted]&y=1'],
  ['a connection string', 'Server=x;Password=s3cret;Db=y', 'Server=x;Password=[redacted];Db=y'],
  ['x-api-key', 'x-api-key: s3cret next', 'x-api-key: [redacted] next'],
  ['api key in words', 'the api key: s3cret', 'the api key: [redacted]'],
  ['an environment', 'DB_PASSWORD=s3cret PORT=1', 'DB_PASSWORD=[redacted] PORT=1'],
  ['another', 'AWS_SECRET_ACCESS_KEY=s3c/ret+', 'AWS_SECRET_ACCESS_KEY=[redacted]'],
  ['a form', 'user[password]=s3cret&a=1', 'user[password]=[redacted]&a=1'],
  ['a comma within', 'password=s3,cret, user=x', 'password=[redacted], user=x'],
  ['a quote within', 'password=s3"cret" x', 'password=[redacted]" x'],
  ['in parentheses', '(token=s3cret)', '(token=[redacted])'],
  ['JSON', '{"password":"s3cret","a":1}', '{"password":"[redacted]","a":1}'],
  ['JSON with blanks', '{ "password" : "s3cret" }', '{ "password" : "[redacted]" }'],
  ['JSON with escapes', '{"password":"s3\\"cret\\\\","a":1}', '{"password":"[redacted]","a":1}'],
  [
    'JSON in JSON',
    '"{\\"token\\":\\"s3\\\\\\"cret\\",\\"a\\":1}"',
    '"{\\"token\\":\\"[redacted]\\",\\"a\\":1}"',
  ],
  ['cut JSON', '{"password":"s3cr...', '{"password":"[redacted]'],
  ['an object', "{ clientSecret: 's3cret', a: 1 }", "{ clientSecret: '[redacted]', a: 1 }"],
  ['an object in it', 'auth: { user: "a", x: "s3cret" }, b: 1', 'auth: [redacted], b: 1'],
  ['a number', '"pwd":1234}', '"pwd":[redacted]}'],
  ['an arrow', "'passphrase' => 's3cret'", "'passphrase' => '[redacted]'"],
  ['a template', 'secret: `s3cret` x', 'secret: `[redacted]` x'],
];

const HARMLESS = [
  '',
  'connect ECONNREFUSED 127.0.0.1:5432',
  'GET http://host:8080/path failed with 503',
  'see https://example.com/@scope/pkg and http://[::1]:80/x',
  'postgres://db/x, then http://h:80, and (http://h:8080)',
  'Basic authentication failed, Bearer token missing',
  `Unexpected token '<', "<!DOCTYPE "... is not valid JSON`,
  'Unexpected token , in JSON',
  'the passport: of compass; asking: for keys = 5',
  'eyJ short, AKIA too, keyJhbGciOiJIUzI1NiJ9abcdef',
  'EYJHBGCIOIJIUZI1NIJ9XXXXXXXX',
  'monkey: banana',
  '----- BEGIN',
  'password=',
  'password:',
  'token',
];

describe('redaction', () => {
  it.each(ROWS)('#160 takes out %s', (_, text, left) => {
    expect(redact(text)).toBe(left);
  });

  it.each(HARMLESS)('leaves %p as it is', (text) => {
    expect(redact(text)).toBe(text);
  });

  it.each(ROWS)('#166 done twice is the same: %s', (_, text) => {
    expect(redact(redact(text))).toBe(redact(text));
  });

  // in the rows these are pieces of secrets and of nothing else
  const SECRET = /s3|s1gn|dXNl|EXAMPLE|456789/;
  // what was cut in a quoted value may take the next text for the rest of it
  const WHOLE = ROWS.filter(([what]) => !what.includes('cut')).map(([, row]) => row);
  const text = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...WHOLE) },
    { weight: 1, arbitrary: fc.constantFrom(...HARMLESS) },
  );

  it('#160 takes all of them out of texts that stand together, once and again', () => {
    const between = fc.constantFrom(' ', '\n', ', ', '; ');
    fc.assert(
      fc.property(fc.array(text, { minLength: 2, maxLength: 6 }), between, (texts, separator) => {
        const once = redact(texts.join(separator));
        expect(once).not.toMatch(SECRET);
        expect(redact(once)).not.toMatch(SECRET);
      }),
      { numRuns: 3_000 },
    );
  });

  const sign = fc.constantFrom(
    ...`"'\`\\:=@/,;&[]{}()<> \n.-x`,
    '://',
    'token',
    'Bearer ',
    'eyJ',
    '...',
    '[redacted]',
    'Cookie:',
  );

  it('#163 comes to an end and throws at nothing', () => {
    fc.assert(
      fc.property(fc.array(sign, { maxLength: 60 }), (signs) => {
        expect(typeof redact(signs.join(''))).toBe('string');
      }),
      { numRuns: 3_000 },
    );
  });
});
