import fc from 'fast-check';
import { Bulkhead, type Ticket } from '../../lib/policies/bulkhead/bulkhead.js';

interface Config {
  readonly maxConcurrent: number;
  readonly maxQueue: number;
}

/** The bulkhead as one page of obvious code: lists of names, looked through from the front. */
class NaiveBulkhead {
  running: number[] = [];
  queue: { id: number; priority: number }[] = [];
  orphans: number[] = [];
  granted: number[] = [];
  refused = 0;
  reclaimed = 0;
  peak = 0;

  constructor(public o: Config) {}

  enter(id: number): boolean {
    if (this.running.length >= this.o.maxConcurrent) return false;
    this.running.push(id);
    this.seePeak();
    return true;
  }

  join(id: number, priority: number): boolean {
    if (this.queue.length >= this.o.maxQueue) {
      this.refused += 1;
      return false;
    }
    this.queue.push({ id, priority });
    return true;
  }

  end(which: number): void {
    this.running.splice(which, 1);
    this.fill();
  }

  orphan(which: number): void {
    this.orphans.push(...this.running.splice(which, 1));
    this.reclaimed += 1;
    this.fill();
  }

  fill(): void {
    while (this.queue.length > 0 && this.running.length < this.o.maxConcurrent) {
      const highest = Math.max(...this.queue.map(({ priority }) => priority));
      const [next] = this.queue.splice(
        this.queue.findIndex(({ priority }) => priority === highest),
        1,
      );
      this.running.push(next!.id);
      this.granted.push(next!.id);
      this.seePeak();
    }
  }

  private seePeak(): void {
    this.peak = Math.max(this.peak, this.running.length);
  }
}

const config: fc.Arbitrary<Config> = fc.record({
  maxConcurrent: fc.integer({ min: 1, max: 5 }),
  maxQueue: fc.integer({ min: 0, max: 6 }),
});
const act = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('call' as const),
      priority: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 9 })),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('end' as const), which: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('leave' as const), which: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('orphan' as const), which: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('orphan-ends' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reconfigure' as const), options: config }) },
);

it('#72 #74 #75 #80 equals its naive twin, whatever happens in whatever order', () => {
  fc.assert(
    fc.property(config, fc.array(act, { maxLength: 200 }), (first, acts) => {
      const bulkhead = new Bulkhead(first);
      const twin = new NaiveBulkhead(first);
      const granted: number[] = [];
      const tickets = new Map<number, Ticket>();
      let id = 0;
      let bound = first.maxConcurrent;
      for (const a of acts) {
        if (a.do === 'call') {
          id += 1;
          const caller = id;
          const entered = bulkhead.enter();
          const ticket = entered
            ? undefined
            : bulkhead.join(() => granted.push(caller), a.priority);
          expect(entered).toBe(twin.enter(caller));
          expect(ticket !== undefined).toBe(!entered && twin.join(caller, a.priority));
          tickets.set(caller, ticket!);
        }
        if (a.do === 'end' && twin.running.length > 0) {
          bulkhead.release();
          twin.end(a.which % twin.running.length);
        }
        if (a.do === 'orphan' && twin.running.length > 0) {
          bulkhead.orphan();
          twin.orphan(a.which % twin.running.length);
        }
        if (a.do === 'orphan-ends' && twin.orphans.pop() !== undefined) bulkhead.orphanEnded();
        if (a.do === 'leave' && twin.queue.length > 0) {
          const [leaver] = twin.queue.splice(a.which % twin.queue.length, 1);
          bulkhead.leave(tickets.get(leaver!.id)!);
        }
        if (a.do === 'reconfigure') {
          bulkhead.reconfigure(a.options);
          twin.o = a.options;
          twin.fill();
        }
        const seen = bulkhead.snapshot();
        expect(granted).toEqual(twin.granted);
        expect(seen).toMatchObject({
          running: twin.running.length,
          queued: twin.queue.length,
          orphaned: twin.orphans.length,
          refused: twin.refused,
          reclaimed: twin.reclaimed,
          peak: twin.peak,
          ...twin.o,
        });
        expect(seen.running).toBeGreaterThanOrEqual(0);
        // a lowered capacity is reached by those who run, and never left again
        bound = Math.max(Math.min(bound, seen.running), seen.maxConcurrent);
        expect(seen.running).toBeLessThanOrEqual(bound);
        // nobody waits for a slot that is free
        if (seen.queued > 0) expect(bulkhead.hasRoom).toBe(false);
      }
    }),
    { numRuns: 1_000 },
  );
});
