import * as here from '../../../lib/pipeline/current-call.js';

// the file once more, as a second installation of the package would have it
const second = '../../../lib/pipeline/current-call.ts?copy';
const there = (await import(second)) as typeof here;

const source = { context: { target: 'X.y' }, endsBy: () => 5, holds: () => false } as never;
const readThere = (): string => there.currentCall().target;

describe('two copies of the package', () => {
  it('are two', () => {
    expect(there.currentCall).not.toBe(here.currentCall);
  });

  it('know the same current call', () => {
    expect(here.runAs(source, readThere, undefined, [])).toBe('X.y');
    expect(readThere()).toBe('');
  });

  it('inherit deadlines from each other', async () => {
    here.openContexts();
    const later = async (): Promise<unknown> => {
      await Promise.resolve();
      return [readThere(), there.inheritedEnd({} as never)];
    };

    expect(await here.runInContext(source, later, undefined, [])).toEqual(['X.y', 5]);
  });
});
