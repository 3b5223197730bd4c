import type { FeesClient } from '../../../../sample/banking-stage/src/fees/fees.client.js';
import type { Quote } from '../../../../sample/banking-stage/src/fees/quote.js';
import { OutsideBlocks } from '../../../../sample/banking-stage/src/recovery/outside-blocks.js';
import { UpstreamLink } from '../../../../sample/banking-stage/src/recovery/upstream-link.js';
import { alice, bob, pay } from '../people.js';
import { smallWorld } from '../small-world.js';

const SIGNAL = new AbortController().signal;

/** A link to a service that answers what it is told to. */
async function linked(answers: (Quote | Error)[]) {
  const world = await smallWorld();
  const asked: number[] = [];
  const fees = {
    ask: async ({ amount }: { amount: number }) => {
      asked.push(amount);
      const answer = answers.shift() ?? new Error('not asked for');
      if (answer instanceof Error) throw answer;
      return answer;
    },
  } as unknown as FeesClient;
  const { settings, banking, chain, mempool } = world;
  return { ...world, asked, link: new UpstreamLink(settings, fees, banking, chain, mempool) };
}

const CLEARED: Quote = { fee: 1, verdict: 'cleared' };
const BLOCKED: Quote = { fee: 1, verdict: 'blocked' };

describe('the link to the upstream', () => {
  it('is there when the upstream answers with a quote, and not otherwise', async () => {
    const { link } = await linked([CLEARED, new Error('away')]);

    await expect(link.reconnect(SIGNAL)).resolves.toBeUndefined();
    await expect(link.reconnect(SIGNAL)).rejects.toThrow('away');
  });

  it('catches up with what was accepted without it, each once', async () => {
    const world = await linked([CLEARED, BLOCKED]);
    await world.banking.submit(pay(alice, bob, 1));
    world.quotes.next = { fee: 1, verdict: 'provisional' };
    const fine = await world.banking.submit(pay(alice, bob, 2));
    await world.banking.produceBlock(1);
    const bad = await world.banking.submit(pay(alice, bob, 3));

    await world.link.review(SIGNAL);
    await world.link.review(SIGNAL);

    expect(world.asked).toEqual([2, 3]);
    expect(world.banking.unreviewed).toEqual([]);
    expect([fine, bad].map(({ id }) => world.banking.isFlagged(id))).toEqual([false, true]);
    expect(world.integrity.all()).toEqual([]);
  });

  it('leaves the rest for later when it breaks off', async () => {
    const world = await linked([CLEARED, new Error('away again'), CLEARED]);
    world.quotes.next = { fee: 1, verdict: 'provisional' };
    for (const amount of [2, 3]) await world.banking.submit(pay(alice, bob, amount));

    await expect(world.link.review(SIGNAL)).rejects.toThrow('away again');
    expect(world.banking.unreviewed).toHaveLength(1);
    await world.link.review(SIGNAL);

    expect(world.asked).toEqual([2, 3, 3]);
  });
});

describe('blocks from outside', () => {
  it('are answered with our own of that height, if there is one', async () => {
    const { chain } = await smallWorld();
    const outside = new OutsideBlocks(chain);

    expect(outside.request({ height: 0, hash: 'forged' })).toBe(chain.tip);
    for (const nothing of [{ height: 9 }, { height: -1 }, { height: 'x' }, null, 7, undefined]) {
      expect(outside.request(nothing)).toBeUndefined();
    }
  });
});
