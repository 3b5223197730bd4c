import { Mempool } from '../../../../sample/banking-stage/src/mempool/mempool.js';
import { alice, bob, order, pay } from '../people.js';

describe('mempool', () => {
  it('reserves amount and fee of all that a sender has pending', () => {
    const mempool = new Mempool();

    mempool.add(order(pay(alice, bob, 10), 1));
    mempool.add(order(pay(alice, bob, 20), 2));

    expect(mempool.reservedBy(alice.address)).toBe(33);
    expect(mempool.reservedBy(bob.address)).toBe(0);
  });

  it('sets free what was reserved when a transaction leaves', () => {
    const mempool = new Mempool();
    const [first, second] = [order(pay(alice, bob, 10), 1), order(pay(alice, bob, 20), 2)];
    mempool.add(first);
    mempool.add(second);

    mempool.remove(first);
    expect(mempool.reservedBy(alice.address)).toBe(22);
    mempool.remove(second);

    expect(mempool.size).toBe(0);
    expect(mempool.allReserved().size).toBe(0);
  });

  it('gives out the oldest first and no more than asked for', () => {
    const mempool = new Mempool();
    const orders = [1, 2, 3].map((amount) => order(pay(alice, bob, amount)));
    for (const one of orders) mempool.add(one);

    expect(mempool.oldest(2)).toEqual(orders.slice(0, 2));
    expect(mempool.oldest(9)).toEqual(orders);
    expect(mempool.oldest(0)).toEqual([]);
  });

  it('takes each transaction once and gives it back once', () => {
    const mempool = new Mempool();
    const one = order(pay(alice, bob, 10));
    mempool.add(one);

    expect(() => mempool.add(one)).toThrow('already pending');
    mempool.remove(one);
    expect(() => mempool.remove(one)).toThrow('not pending');
    expect(mempool.reservedBy(alice.address)).toBe(0);
  });
});
