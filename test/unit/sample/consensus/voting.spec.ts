import {
  promising,
  stricter,
  votesAt,
  voting,
} from '../../../../sample/banking-stage/src/consensus/voting.js';
import type { Votes } from '../../../../sample/banking-stage/src/consensus/voting.js';

const [red, blue] = [{ hash: 'red' }, { hash: 'blue' }];
const fresh: Votes<{ hash: string }> = { height: 5, promised: 0 };

describe('a validator', () => {
  it('promises a round, the same again, and none below', () => {
    const promised = promising(fresh, { height: 5, round: 4 })!;

    expect(promised).toEqual({ height: 5, promised: 4 });
    expect(promising(promised, { height: 5, round: 4 })).toEqual(promised);
    expect(promising(promised, { height: 5, round: 3 })).toBeUndefined();
    expect(promising(promised, { height: 5, round: 5 })).toEqual({ height: 5, promised: 5 });
  });

  it('keeps its vote through a promise, so that the next leader hears of it', () => {
    const voted = voting(fresh, { height: 5, round: 1 }, red)!;

    expect(promising(voted, { height: 5, round: 2 })).toEqual({
      height: 5,
      promised: 2,
      accepted: { round: 1, block: red },
    });
  });

  it('votes in no round below its promise', () => {
    const promised = promising(fresh, { height: 5, round: 4 })!;

    expect(voting(promised, { height: 5, round: 3 }, red)).toBeUndefined();
    expect(voting(promised, { height: 5, round: 4 }, red)?.accepted?.block).toBe(red);
  });

  it('votes for one block in a round, as often as it is asked', () => {
    const voted = voting(fresh, { height: 5, round: 1 }, red)!;

    expect(voting(voted, { height: 5, round: 1 }, red)).toEqual(voted);
    expect(voting(voted, { height: 5, round: 1 }, blue)).toBeUndefined();
    expect(voting(voted, { height: 5, round: 2 }, blue)?.accepted).toEqual({
      round: 2,
      block: blue,
    });
  });

  it('is done with the heights below, and begins anew with each above', () => {
    const voted = voting(fresh, { height: 5, round: 1 }, red)!;

    expect(votesAt(voted, 6)).toEqual({ height: 6, promised: 0 });
    expect(votesAt(voted, 4)).toBeUndefined();
    expect(voting(voted, { height: 4, round: 9 }, red)).toBeUndefined();
    expect(promising(voted, { height: 4, round: 9 })).toBeUndefined();
  });

  it('remembers over a restore what forbids more', () => {
    const before: Votes<{ hash: string }> = {
      height: 5,
      promised: 7,
      accepted: { round: 2, block: red },
    };

    expect(stricter({ height: 3, promised: 9 }, before)).toBe(before);
    expect(stricter(before, { height: 3, promised: 9 })).toBe(before);
    expect(stricter(before, { ...fresh, promised: 8 })).toEqual({ ...before, promised: 8 });
    expect(
      stricter({ height: 5, promised: 3, accepted: { round: 3, block: blue } }, before),
    ).toEqual({ height: 5, promised: 7, accepted: { round: 3, block: blue } });
  });
});
