import { CLOCK, RANDOM } from '../nest/tokens.js';
import { FakeClock } from './fake-clock.js';
import { seededRandom } from './seeded-random.js';

/** What stands in for the platform's time and chance. */
export interface Fakes {
  /** Time as the test moves it. Default: one of its own, which stands still. */
  clock?: FakeClock;
  /** The dice fall the same way for the same seed. Default 1. */
  seed?: number;
}

/** Nest's `TestingModuleBuilder`, as far as it is needed here. */
interface Overridable {
  overrideProvider(token: unknown): { useValue(value: unknown): unknown };
}

/**
 * Gives an application under test a clock that only the test moves, and dice that fall the same way
 * each time: no policy waits for real, none by chance. It makes no difference where `ResilienceModule` is
 * imported.
 *
 * ```ts
 * const clock = new FakeClock();
 * const module = await withFakes(Test.createTestingModule({ imports: [AppModule] }), { clock }).compile();
 * ```
 *
 * @returns the builder
 */
export function withFakes<B extends Overridable>(
  builder: B,
  { clock = new FakeClock(), seed = 1 }: Fakes = {},
): B {
  builder.overrideProvider(CLOCK).useValue(clock);
  builder.overrideProvider(RANDOM).useValue(seededRandom(seed));
  return builder;
}
