// The service that everybody calls: so many workers, one queue, and work that does not stop because
// its client has left, unless it is told to look.
const REFUSED = () => Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
const RESET = () => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
const BUSY = () => Object.assign(new Error('the queue is full'), { status: 503 });
const BROKEN = () => Object.assign(new Error('internal error'), { status: 500 });

/** Milliseconds from a refusal, or a bad answer given without work, to its arrival at the client. */
const ROUND_TRIP = 1;
/** Of the log-normal service time: the slowest of a hundred takes 3.4 times the mean. */
const SIGMA = 0.6;

/**
 * A condition is `{ workers, down, hangs, errors }`: the share of the workers that work, whether
 * connections are refused, whether nothing is ever answered, and the share of bad answers.
 */
export class Service {
  /** Requests that arrived, those that a worker finished, and those of them that nobody waited for. */
  counts = { attempts: 0, served: 0, wasted: 0 };
  #queue = [];
  #running = new Set();
  #condition = { workers: 1, down: false, hangs: false, errors: 0 };

  /**
   * @param workers how many requests are worked on at once
   * @param mean milliseconds of work for one, on average
   * @param room how many may wait; one more is refused
   * @param cancels whether a worker passes over a request whose client has left
   */
  constructor({ workers, mean, room, cancels, random, now }) {
    Object.assign(this, { workers, mean, room, cancels, random, now });
  }

  /** From now on it is like that. */
  become(condition) {
    this.#condition = condition;
    if (condition.down) {
      for (const request of [...this.#queue, ...this.#running]) request.answer(RESET());
      this.#queue = [];
      for (const { timer } of this.#running) clearTimeout(timer);
      this.#running.clear();
    }
    while (this.#next(this.now())) continue;
  }

  /** Nobody waits and nobody works. */
  get isIdle() {
    return this.#queue.length + this.#running.size === 0;
  }

  /** One request, as an HTTP client makes it: the promise rejects when the signal aborts. */
  call(signal) {
    this.counts.attempts += 1;
    return new Promise((resolve, reject) => {
      const request = { hasLeft: signal?.aborted === true, arrived: this.now() };
      const leave = () => {
        request.hasLeft = true;
        reject(signal.reason);
      };
      signal?.addEventListener('abort', leave, { once: true });
      request.answer = (error) => {
        signal?.removeEventListener('abort', leave);
        if (error === undefined) resolve('answer');
        else reject(error);
      };
      this.#arrive(request);
    });
  }

  #arrive(request) {
    const { down, hangs } = this.#condition;
    if (hangs) return;
    if (down || this.#queue.length >= this.room) {
      setTimeout(() => request.answer(down ? REFUSED() : BUSY()), ROUND_TRIP);
      return;
    }
    this.#queue.push(request);
    this.#next(this.now());
  }

  /** Gives the next request to a free worker, who was free since `since`; false if there is none of either. */
  #next(since) {
    const free = Math.round(this.workers * this.#condition.workers) - this.#running.size;
    if (this.cancels) while (this.#queue[0]?.hasLeft === true) this.#queue.shift();
    if (free <= 0 || this.#queue.length === 0 || this.#condition.down) return false;
    const request = this.#queue.shift();
    // timers count whole milliseconds, work does not: a busy worker goes on where it really ended
    const ends = Math.max(since, request.arrived) + this.#duration();
    this.#running.add(request);
    request.timer = setTimeout(() => this.#end(request, ends), Math.ceil(ends - this.now()));
    return true;
  }

  #end(request, ended) {
    this.#running.delete(request);
    this.counts.served += 1;
    if (request.hasLeft) this.counts.wasted += 1;
    request.answer(this.random() < this.#condition.errors ? BROKEN() : undefined);
    this.#next(ended);
  }

  #duration() {
    const normal =
      Math.sqrt(-2 * Math.log(1 - this.random())) * Math.cos(2 * Math.PI * this.random());
    return this.mean * Math.exp(SIGMA * normal - (SIGMA * SIGMA) / 2);
  }
}
