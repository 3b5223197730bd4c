import {
  constants,
  monitorEventLoopDelay,
  performance,
  PerformanceObserver,
} from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { ProcessFigures } from '../../health/inputs.js';
import type { Milliseconds } from '../../kernel/duration.js';

/** What the process says of itself. Nothing is measured before `open` or after `close`. */
export interface ProcessReadings {
  /** Begins to measure; nothing of it keeps the process alive. */
  open(): void;
  read(): ProcessFigures;
  close(): void;
}

/** The injection token of the readings; override it in a test with figures of your own. */
export const PROCESS_READINGS = Symbol('bulwark:process-readings');

/** How often the event loop is looked at. */
const RESOLUTION: Milliseconds = 20;

/** The figures of this very process, by Node's own instruments. */
export class NodeReadings implements ProcessReadings {
  private instruments: Instruments | undefined;

  /** @param span figures of the loop are of at least so many milliseconds, however often they are read: one slow turn is no trouble */
  constructor(private readonly span: Milliseconds = 10_000) {}

  open(): void {
    this.instruments ??= new Instruments(this.span);
  }

  read(): ProcessFigures {
    return this.instruments?.read() ?? {};
  }

  close(): void {
    this.instruments?.close();
    this.instruments = undefined;
  }
}

class Instruments {
  private readonly delays = monitorEventLoopDelay({ resolution: RESOLUTION });
  private readonly collections = new PerformanceObserver((list) => {
    if (list.getEntries().some(isFull)) this.heapUsed = getHeapStatistics().used_heap_size;
  });
  private readonly heapLimit = getHeapStatistics().heap_size_limit;
  private heapUsed: number | undefined;
  private since = performance.now();
  private busyBefore = performance.eventLoopUtilization();
  /** Of the span before this one; nothing before the first is over. */
  private last: ProcessFigures = {};

  constructor(private readonly span: Milliseconds) {
    this.delays.enable();
    this.collections.observe({ entryTypes: ['gc'] });
  }

  read(): ProcessFigures {
    const { heapUsed, heapLimit } = this;
    return { ...this.loop(), heapUsed, heapLimit };
  }

  private loop(): ProcessFigures {
    if (performance.now() - this.since < this.span) return this.last;
    const { delays } = this;
    const busy = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(busy, this.busyBefore);
    this.last = {
      // the instrument counts its own pauses between two looks
      loopDelay: Math.max(0, delays.percentile(99) / 1e6 - RESOLUTION),
      loopUtilisation: utilization,
    };
    this.since = performance.now();
    this.busyBefore = busy;
    delays.reset();
    return this.last;
  }

  close(): void {
    this.delays.disable();
    this.collections.disconnect();
  }
}

function isFull(entry: object): boolean {
  const { detail } = entry as { detail?: { kind?: number } };
  return detail?.kind === constants.NODE_PERFORMANCE_GC_MAJOR;
}
