import fc from 'fast-check';
import { Bulkhead, type Ticket } from '../../../../lib/policies/bulkhead/bulkhead.js';

it('hands a freed slot to the head of the queue in the same step', () => {
  const bulkhead = new Bulkhead({ maxConcurrent: 1, maxQueue: 2 });
  const granted: string[] = [];
  bulkhead.enter();
  bulkhead.join(() => granted.push('first'));
  bulkhead.join(() => granted.push('second'));

  bulkhead.release();

  expect(granted).toEqual(['first']);
  expect(bulkhead.enter()).toBe(false);
  expect(bulkhead.snapshot()).toMatchObject({ running: 1, queued: 1 });
});

it('leaving twice, or after the grant, does nothing', () => {
  const bulkhead = new Bulkhead({ maxConcurrent: 1, maxQueue: 2 });
  bulkhead.enter();
  const ticket = bulkhead.join(() => {})!;
  bulkhead.leave(ticket);
  bulkhead.leave(ticket);
  const granted = bulkhead.join(() => {})!;
  bulkhead.release();
  bulkhead.leave(granted);

  expect(bulkhead.snapshot()).toMatchObject({ running: 1, queued: 0 });
});

it('#72 equals a naive twin whatever the order of entering, joining, leaving and releasing', () => {
  const step = fc.oneof(fc.constant('enter'), fc.constant('release'), fc.nat({ max: 9 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const bulkhead = new Bulkhead({ maxConcurrent: 3, maxQueue: 4 });
      const granted: number[] = [];
      const tickets = new Map<number, Ticket>();
      const twin = { running: 0, queue: [] as number[], granted: [] as number[] };
      let id = 0;
      for (const action of steps) {
        id += 1;
        const caller = id;
        if (action === 'enter') {
          if (bulkhead.enter()) {
            twin.running += 1;
          } else {
            const ticket = bulkhead.join(() => granted.push(caller));
            expect(ticket !== undefined).toBe(twin.queue.length < 4);
            twin.queue.push(...(ticket === undefined ? [] : [caller]));
            tickets.set(caller, ticket!);
          }
        } else if (action === 'release') {
          if (twin.running === 0) continue;
          bulkhead.release();
          const next = twin.queue.shift();
          if (next === undefined) twin.running -= 1;
          else twin.granted.push(next);
        } else if (twin.queue.length > 0) {
          const [leaver] = twin.queue.splice(action % twin.queue.length, 1);
          bulkhead.leave(tickets.get(leaver!)!);
        }
        expect(bulkhead.snapshot()).toMatchObject({
          running: twin.running,
          queued: twin.queue.length,
        });
        expect(twin.running).toBeLessThanOrEqual(3);
      }
      expect(granted).toEqual(twin.granted);
    }),
    { numRuns: 500 },
  );
});
