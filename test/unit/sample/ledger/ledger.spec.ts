import * as fc from 'fast-check';
import { Ledger } from '../../../../sample/banking-stage/src/ledger/ledger.js';
import { alice, bob, carol, order, pay } from '../people.js';

function ledgerWith(...amounts: number[]): Ledger {
  const ledger = new Ledger();
  amounts.forEach((amount, at) => ledger.credit(`genesis:${at}`, { owner: alice.address, amount }));
  return ledger;
}

function coins(ledger: Ledger): number {
  return [...ledger.allOutputs().values()].reduce((sum, { amount }) => sum + amount, 0);
}

describe('ledger', () => {
  it('shows an account nobody has heard of as empty', () => {
    expect(new Ledger().account(alice.address)).toEqual({ balance: 0, head: 0, tail: 0, sent: 0 });
  });

  it('spends the oldest coins first and puts the change at the end', () => {
    const ledger = ledgerWith(10, 20, 30);
    const paid = order(pay(alice, bob, 12), 3);

    const { inputs, outputs } = ledger.execute(paid);

    expect(inputs).toEqual(['genesis:0', 'genesis:1']);
    expect(outputs).toEqual([
      { owner: bob.address, amount: 12 },
      { owner: alice.address, amount: 15 },
    ]);
    expect([...ledger.outputsOf(alice.address)].map(([id]) => id)).toEqual([
      'genesis:2',
      `${paid.id}:1`,
    ]);
    expect(ledger.balance(alice.address)).toBe(45);
    expect(ledger.balance(bob.address)).toBe(12);
    expect(ledger.account(alice.address).sent).toBe(1);
  });

  it('looks for no coins beyond one that is missing: how many there are may be wrong as well', () => {
    const ledger = ledgerWith(10, 20, 30);
    ledger['coins'].delete(`${alice.address}/1`);

    expect([...ledger.outputsOf(alice.address)].map(([id]) => id)).toEqual(['genesis:0']);
    expect(() => ledger.execute(order(pay(alice, bob, 40)))).toThrow('do not add up');
  });

  it('makes no change of nothing', () => {
    const { outputs } = ledgerWith(10).execute(order(pay(alice, bob, 9), 1));

    expect(outputs).toEqual([{ owner: bob.address, amount: 9 }]);
  });

  it('lets an account pay itself and lose only the fee', () => {
    const ledger = ledgerWith(10);

    ledger.execute(order(pay(alice, alice, 4), 1));

    expect(ledger.balance(alice.address)).toBe(9);
    expect(coins(ledger)).toBe(9);
  });

  it('refuses to spend what is not there, and changes nothing', () => {
    const ledger = ledgerWith(10);
    const before = structuredClone([...ledger.allOutputs(), ...ledger.allAccounts()]);

    expect(() => ledger.execute(order(pay(alice, bob, 10), 1))).toThrow('11 was to be spent');

    expect([...ledger.allOutputs(), ...ledger.allAccounts()]).toEqual(before);
  });

  it('lets money that has just arrived be spent by the next transaction', () => {
    const ledger = ledgerWith(10);

    ledger.execute(order(pay(alice, bob, 8), 1));
    ledger.execute(order(pay(bob, carol, 7), 1));

    expect(ledger.balance(carol.address)).toBe(7);
    expect(ledger.balance(bob.address)).toBe(0);
  });

  it('neither makes nor loses money, whatever is paid to whom', () => {
    const people = [alice, bob, carol];
    const person = fc.constantFrom(...people);
    const payments = fc.array(
      fc.record({
        from: person,
        to: person,
        amount: fc.integer({ min: 1, max: 60 }),
        fee: fc.integer({ min: 0, max: 5 }),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(payments, (all) => {
        const ledger = new Ledger();
        people.forEach(({ address }, at) => {
          ledger.credit(`genesis:${at}`, { owner: address, amount: 100 });
        });
        let fees = 0;
        for (const { from, to, amount, fee } of all) {
          if (ledger.balance(from.address) < amount + fee) continue;
          ledger.execute(order(pay(from, to, amount), fee));
          fees += fee;
        }

        expect(coins(ledger)).toBe(300 - fees);
        for (const { address } of people) {
          const own = [...ledger.outputsOf(address)];
          expect(own.every(([, { owner }]) => owner === address)).toBe(true);
          expect(own.reduce((sum, [, { amount }]) => sum + amount, 0)).toBe(
            ledger.balance(address),
          );
        }
        expect(ledger.allCoins().size).toBe(ledger.allOutputs().size);
      }),
      { numRuns: 50 },
    );
  });
});
