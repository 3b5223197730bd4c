import {
  certificateProblem,
  signVote,
} from '../../../../sample/banking-stage/src/consensus/certificate.js';
import { alice, bob, carol, validator } from '../people.js';

const slot = { height: 3, round: 1 };
const [hash, other] = ['a'.repeat(64), 'b'.repeat(64)];
const validators = [alice, bob, carol].map(({ address }) => address);
const certificate = (...votes: ReturnType<typeof signVote>[]) => ({ ...slot, hash, votes });

describe('a certificate', () => {
  it('is sound with the votes of a majority', () => {
    const sound = certificate(signVote(slot, hash, alice), signVote(slot, hash, carol));

    expect(certificateProblem(sound, validators)).toBeUndefined();
  });

  it.each([
    ['one vote', certificate(signVote(slot, hash, alice))],
    ['one vote twice', certificate(signVote(slot, hash, alice), signVote(slot, hash, alice))],
    [
      'a vote of a stranger',
      certificate(signVote(slot, hash, alice), signVote(slot, hash, validator)),
    ],
    [
      'a vote for another block',
      certificate(signVote(slot, hash, alice), signVote(slot, other, bob)),
    ],
    [
      'a vote of another round',
      certificate(signVote(slot, hash, alice), signVote({ ...slot, round: 2 }, hash, bob)),
    ],
    [
      'a vote in the name of another',
      certificate(signVote(slot, hash, alice), {
        ...signVote(slot, hash, alice),
        by: bob.address,
      }),
    ],
    ['nothing', undefined],
    ['garbage', { ...slot, hash, votes: [null] }],
  ])('is none with %s', (_, given) => {
    expect(certificateProblem(given, validators)).toBeDefined();
  });
});
