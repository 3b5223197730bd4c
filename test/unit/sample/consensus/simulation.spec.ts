import { Simulation } from './simulated.js';

/** `SEEDS=5000 npm run jest -- test/unit/sample/consensus` looks at more of them. */
const SEEDS = Number(process.env['SEEDS'] ?? 60);
const STEPS = 60;

/** Whatever can go wrong, for a while; then nothing any more. */
async function stormy(seed: number, size: number): Promise<Simulation> {
  const simulation = new Simulation(seed, size);
  const { nodes, clock } = simulation;
  for (let step = 0; step < STEPS; step++) {
    const node = nodes[simulation.below(size)]!;
    switch (simulation.below(9)) {
      case 0:
        simulation.weather = {
          loss: simulation.random() / 2,
          duplicates: simulation.random(),
          maxDelay: 1 + simulation.below(500),
        };
        break;
      case 1:
        if (node.isUp) node.crash();
        break;
      case 2:
      case 3:
        if (!node.isUp) node.start();
        break;
      case 4:
        if (node.isUp) node.freeze();
        break;
      case 5:
        node.thaw();
        break;
      case 6:
        simulation.island = new Set([node.self]);
        break;
      case 7:
        simulation.island = undefined;
        break;
      default:
    }
    for (let n = simulation.below(3); n > 0; n--) simulation.order();
    await clock.advance(simulation.below(400));
  }
  return simulation;
}

async function calm(simulation: Simulation): Promise<void> {
  simulation.weather = { loss: 0, duplicates: 0.1, maxDelay: 20 };
  simulation.island = undefined;
  for (const node of simulation.nodes) {
    node.thaw();
    if (!node.isUp) node.start();
  }
  const settled = (): boolean =>
    simulation.nodes.every(
      ({ disk, height }) => disk.pending.size === 0 && height === simulation.nodes[0]!.height,
    );
  for (let waited = 0; waited < 60_000 && !settled(); waited += 500) {
    await simulation.clock.advance(500);
  }
}

describe.each([3, 5])(
  '%i validators under loss, delay, duplication, crash, frost and partition',
  (size) => {
    it.each(Array.from({ length: SEEDS / size }, (_, seed) => seed))(
      'never have two blocks at one height, and agree when faults end: seed %i',
      async (seed) => {
        const simulation = await stormy(seed * 10 + size, size);
        const before = simulation.decided.size;
        simulation.order();
        await calm(simulation);

        const [first, ...others] = simulation.nodes.map(({ blocks }) => blocks);
        for (const other of others) expect(other).toEqual(first);
        expect(first!.length).toBeGreaterThanOrEqual(before);
        expect(simulation.nodes.map(({ disk }) => disk.pending.size)).toEqual(
          simulation.nodes.map(() => 0),
        );
        const orders = first!.flatMap((block) => block.orders);
        expect(new Set(orders).size).toBe(orders.length);
        expect(first!.map(({ height, hash }) => [height, hash])).toEqual(
          [...simulation.decided].toSorted((a, b) => a[0] - b[0]),
        );
      },
    );
  },
);

it('without faults every height is decided in its first round, and leaders take turns', async () => {
  const simulation = new Simulation(1);
  for (let n = 0; n < 6; n++) {
    simulation.order();
    await simulation.clock.advance(1_000);
  }

  const [chain] = simulation.nodes.map(({ disk }) => disk.chain);
  expect(chain!.map(({ votes }) => votes[0]?.round)).toEqual(chain!.map(() => 0));
  expect(chain!.map(({ block }) => block.hash.split('/')[1])).toEqual(
    chain!.map(({ block }) => String(block.height % 3)),
  );
});

it('decides nothing in a minority', async () => {
  const simulation = new Simulation(1);
  simulation.nodes[0]!.crash();
  simulation.nodes[1]!.crash();
  simulation.nodes[2]!.hear(1);
  await simulation.clock.advance(10_000);

  expect(simulation.decided.size).toBe(0);
});
