// One run: the clients of one contender, the service, one scenario.
import { contenders } from './contenders.mjs';
import { figuresOf } from './figures.mjs';
import { scenarios } from './scenarios.mjs';
import { Service } from './service.mjs';
import { dice } from './virtual-time.mjs';

/** The world, unless it is said otherwise. */
export const WORLD = {
  /** Workers of the service. */
  workers: 10,
  /** Milliseconds of work per request, on average: 10 workers do 200 a second. */
  mean: 50,
  /** Requests that may wait at the service: 5 s of its capacity. */
  room: 1_000,
  /** Whether a worker passes over a request whose client has left. */
  cancels: false,
  /** Client processes. */
  replicas: 4,
  /** Arrivals as a share of the capacity. */
  load: 0.7,
  /** Seconds that are looked at after the fault, at most. */
  rest: 60,
  /** Milliseconds that a caller waits for its answer, with all attempts. */
  patience: 3_000,
};

/**
 * @param time the virtual time of this process
 * @returns what was measured, a plain object that is the same for the same input
 */
export async function simulate(time, { contender, scenario: name, seed, world: given = {} }) {
  const world = { ...WORLD, ...given };
  // the same faults and arrivals for every contender of this seed
  const scenario = scenarios[name].make(dice(seed * 4));
  const ends = Math.min(scenario.ends, scenario.faultEnds + world.rest);
  const clients = [];
  for (let i = 0; i < world.replicas; i += 1) clients.push(await contenders[contender]());
  const start = await time.begin(seed * 4 + 3);
  const now = () => time.now - start;
  const random = dice(seed * 4 + 1);
  const service = new Service({ ...world, random: dice(seed * 4 + 2), now });
  const calls = [];
  let pending = 0;

  const arrive = (at) => {
    const client = clients[Math.floor(random() * clients.length)];
    const call = { at, took: undefined, end: 'pending' };
    calls.push(call);
    pending += 1;
    const settled = (end) => {
      pending -= 1;
      call.took = now() - at;
      call.end = end;
    };
    client
      .call((signal) => service.call(signal))
      .then(
        () => settled('answered'),
        (error) => settled(client.isRefusal(error) ? 'refused' : 'failed'),
      );
  };

  const perMillisecond = (world.load * world.workers) / world.mean;
  let next = 0;
  const seconds = [];
  for (let second = 0; second < ends; second += 1) {
    const { traffic, ...condition } = scenario.at(second);
    service.become(condition);
    const before = { ...service.counts };
    while (next < (second + 1) * 1_000) {
      await time.until(start + Math.ceil(next));
      arrive(next);
      next += -Math.log(1 - random()) / (perMillisecond * traffic);
    }
    await time.until(start + (second + 1) * 1_000);
    const { attempts, served, wasted } = service.counts;
    seconds.push({
      possible: capacityOf(world, condition),
      attempts: attempts - before.attempts,
      served: served - before.served,
      wasted: wasted - before.wasted,
    });
  }
  // nobody comes any more: what is left ends
  for (let i = 0; i < 120 && (pending > 0 || !service.isIdle); i += 1)
    await time.until(time.now + 1_000);
  const left = { pending, states: clients.map((client) => client.state?.()) };
  for (const client of clients) await client.close();
  return { ...figuresOf({ calls, seconds, scenario, world }), left };
}

/** Requests per second that the service can answer well. */
function capacityOf({ workers, mean }, { workers: share, down, hangs, errors }) {
  return down || hangs ? 0 : (Math.round(workers * share) / mean) * 1_000 * (1 - errors);
}
