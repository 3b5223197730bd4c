import { clean, makeClean, REDACTION_FAILED } from '../../../../lib/errors/record/clean.js';

describe('a clean text', () => {
  it('#164 is cut, and says so, before anything else looks at it', () => {
    const seen: number[] = [];
    const own = makeClean((text) => {
      seen.push(text.length);
      return text;
    });

    expect(clean('a'.repeat(5_000_000), 20)).toBe(`${'a'.repeat(17)}...`);
    expect(clean('abcdef', 2)).toBe('..');
    expect(clean('abcdef', 0)).toBe('');
    expect(clean('a'.repeat(20), 20)).toBe('a'.repeat(20));
    own('a'.repeat(5_000_000), 30);
    expect(seen).toEqual([30]);
  });

  it('#164 is no longer than it may be where signs are written out', () => {
    expect(clean('\n'.repeat(100), 100)).toHaveLength(100);
  });

  it('#160 has no part of a secret that the cut went through', () => {
    const secrets = [
      'postgres://app:s3cret-s3cret-s3cret-s3cret-s3cret@h',
      'Bearer s3cret-s3cret-s3cret-s3cret-s3cret',
      '{"password":"s3cret-s3cret-s3cret-s3cret-s3cret"}',
      '-----BEGIN KEY-----\ns3cret-s3cret-s3cret-s3cret-s3cret\n-----END KEY-----',
      'token=s3cret-s3cret-s3cret-s3cret-s3cret',
      'eyJs3crets3crets3crets3crets3crets3cret',
    ];
    for (const secret of secrets) {
      const start = secret.indexOf('s3cret');
      for (let max = start + 6; max <= secret.length; max += 1) {
        // a name alone says nothing of where its value begins
        expect(clean(secret, max)).not.toContain('s3cret');
      }
    }
  });

  it('#167 is on one line, whatever a function from the options makes of it', () => {
    expect(makeClean((text) => `${text}\nforged`)('a', 100)).toBe('a\\u000aforged');
  });

  it('goes through the function from the options after ours', () => {
    const seen: string[] = [];
    const own = makeClean((text) => {
      seen.push(text);
      return text.replaceAll(/\d{4}/g, '****');
    });

    expect(own('card 1234 token=abc', 100)).toBe('card **** token=[redacted]');
    expect(seen).toEqual(['card 1234 token=[redacted]']);
  });

  it.each<[string, (text: string) => unknown]>([
    [
      'throws',
      () => {
        throw new Error('bad');
      },
    ],
    ['answers no string', () => undefined],
    ['answers a promise that rejects', () => Promise.reject(new Error('bad'))],
  ])('is none of the text where the function %s, and that is said once', (_, redact) => {
    const reports: unknown[] = [];
    const own = makeClean(redact as (text: string) => string, (option) => reports.push(option));

    expect(own('a secret', 100)).toBe(REDACTION_FAILED);
    expect(own('another', 100)).toBe(REDACTION_FAILED);
    expect(own('x', 100)).toBe(REDACTION_FAILED);
    expect(reports).toEqual(['redact']);
  });
});
