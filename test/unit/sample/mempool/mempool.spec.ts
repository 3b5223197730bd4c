import { Mempool } from '../../../../sample/banking-stage/src/mempool/mempool.js';
import { alice, bob, order, pay } from '../people.js';

describe('mempool', () => {
  it('reserves amount and fee of all that a sender has pending', async () => {
    const mempool = new Mempool();

    await mempool.add(order(pay(alice, bob, 10), 1));
    await mempool.add(order(pay(alice, bob, 20), 2));

    expect(mempool.reservedBy(alice.address)).toBe(33);
    expect(mempool.reservedBy(bob.address)).toBe(0);
  });

  it('sets free what was reserved when a transaction leaves', async () => {
    const mempool = new Mempool();
    const [first, second] = [order(pay(alice, bob, 10), 1), order(pay(alice, bob, 20), 2)];
    await mempool.add(first);
    await mempool.add(second);

    await mempool.remove([first]);
    expect(mempool.reservedBy(alice.address)).toBe(22);
    await mempool.remove([second]);

    expect(mempool.size).toBe(0);
    expect(mempool.allReserved().size).toBe(0);
  });

  it('gives out the oldest first and no more than asked for', async () => {
    const mempool = new Mempool();
    const orders = [1, 2, 3].map((amount) => order(pay(alice, bob, amount)));
    for (const one of orders) await mempool.add(one);

    expect(mempool.oldest(2)).toEqual(orders.slice(0, 2));
    expect(mempool.oldest(9)).toEqual(orders);
    expect(mempool.oldest(0)).toEqual([]);
  });

  it('takes each transaction once and gives it back once', async () => {
    const mempool = new Mempool();
    const one = order(pay(alice, bob, 10));
    await mempool.add(one);

    await expect(mempool.add(one)).rejects.toThrow('already pending');
    await mempool.remove([one]);
    await expect(mempool.remove([one])).rejects.toThrow('not pending');
    expect(mempool.reservedBy(alice.address)).toBe(0);
  });
});
