// Time and dice of the simulation. The platform's timers are replaced once per process and time only
// goes on from there: whoever read the clock before (our own system clock never goes back) is not confused.
import FakeTimers from '@sinonjs/fake-timers';

const REPLACED = [
  'setTimeout',
  'clearTimeout',
  'setInterval',
  'clearInterval',
  'setImmediate',
  'clearImmediate',
  'Date',
  'performance',
];

/** A run starts at a multiple of this (3 h), so that windows aligned to the clock begin alike in each. */
const GRID = 10_800_000;

/** Dice that fall the same way for the same seed (mulberry32, Tommy Ettinger, public domain). */
export function dice(seed) {
  let state = Math.trunc(seed) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Takes over time and chance of this process, until `giveBack`. */
export class VirtualTime {
  #turn = setImmediate;
  #random = Math.random;
  #dice = dice(0);
  #clock = FakeTimers.withGlobal(globalThis).install({ now: 0, toFake: REPLACED });

  constructor() {
    // one function for all runs, for some keep the one that they find
    Math.random = () => this.#dice();
  }

  /** Milliseconds. */
  get now() {
    return this.#clock.now;
  }

  /** Begins a run: time stands on the grid, and whoever asks `Math.random` gets these dice. */
  async begin(seed) {
    const next = Math.floor(this.now / GRID + 1) * GRID;
    await this.until(next);
    this.#dice = dice(seed);
    return next;
  }

  /** Lets everything happen up to that moment: timer by timer, all promises settled between two. */
  async until(moment) {
    let reached = false;
    this.#clock.setTimeout(() => (reached = true), moment - this.now);
    while (!reached) {
      this.#clock.next();
      await this.settle();
    }
  }

  /** Runs what promises have made ready. */
  settle() {
    return new Promise((done) => this.#turn(done));
  }

  giveBack() {
    Math.random = this.#random;
    this.#clock.uninstall();
  }
}
