// What one idle breaker costs, of a name of its own and of a key.
import { answer, inside, memory, newRuntime } from './common.mjs';

const { CircuitBreaker } = await inside('policies/circuit-breaker/circuit-breaker.js');
const { systemClock } = await inside('pipeline/system-clock.js');
const N = 10_000;

async function cost(make) {
  const kept = [make(-1)];
  const before = await memory();
  for (let i = 0; i < N; i += 1) kept.push(make(i));
  const after = await memory();
  if (kept.length !== N + 1) throw new Error('kept alive until here');
  return (after.heapUsed - before.heapUsed) / N;
}

const listener = { stateChanged() {}, probeLost() {}, predicateFailed() {} };
const alone = await cost(() => new CircuitBreaker({}, systemClock, Math.random, listener));
const runtime = await newRuntime();
const target = runtime.register('A', { circuitBreaker: { key: (k) => k, maxKeys: 1_000_000 } });
const keyed = await cost((i) => target.pipeline.laneOf([`key:${i}`]).breaker);
const other = await newRuntime();
const named = await cost((i) => other.register(`target:${i}`, { circuitBreaker: {} }));
answer({ alone, keyed, named });
