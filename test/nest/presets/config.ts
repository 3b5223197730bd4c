import {
  ApplicationRuntime,
  type PolicySet,
  type ResilienceConfig,
  type ResilienceConfigError,
} from 'nestjs-bulwark';
import { bootError, type Setting, type World } from '../support/app.js';

export const down = async (): Promise<never> => {
  throw new Error('down');
};

/** Retries at once. */
export const still = { delay: 0, jitter: 'none' } as const;

/** The policies that a target ended up with. */
export const policiesOf = ({ app }: World, name: string): PolicySet =>
  app.get(ApplicationRuntime).target(name)!.policies;

export const config = (more: ResilienceConfig): ResilienceConfig => ({ health: false, ...more });

/** What the boot says is wrong. */
export async function mistakesOf(setting: Setting): Promise<string[]> {
  const { mistakes } = (await bootError(setting)) as ResilienceConfigError;
  return mistakes.map(({ at, problem }) => `${at}: ${problem}`);
}
