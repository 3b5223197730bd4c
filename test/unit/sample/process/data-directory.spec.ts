import { existsSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { dataDirectory } from '../../../../sample/banking-stage/src/process/data-directory.js';

describe('the data directory', () => {
  it('is the one that was named, wherever that is', async () => {
    expect(await dataDirectory('here/data')).toEqual({ path: resolve('here/data'), named: true });
  });

  it.each([undefined, ''])('is a new one for this run, where none was named (%j)', async (none) => {
    const [one, other] = [await dataDirectory(none), await dataDirectory(none)];

    expect([one.named, existsSync(one.path)]).toEqual([false, true]);
    expect(other.path).not.toBe(one.path);
    for (const { path } of [one, other]) rmSync(path, { recursive: true });
  });
});
