import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { structuralKey } from 'nestjs-bulwark';
import { FailureLimiter } from '../../lib/nest/recovery/access/failure-limiter.js';

/** Told by the smoke test: the application that the tarball was installed into. */
const installedIn = process.env['BULWARK_INSTALLED_IN'];

/** The files that an error came through. */
function wayOf(error: unknown): string[] {
  const { stack } = error as Error;
  const frames = [...stack!.matchAll(/[( ](?:file:\/\/)?(\/[^\s():]+):\d+:\d+\)?$/gm)];
  return frames.map(([, file]) => realpathSync(file!));
}

const thrown = (work: () => unknown): unknown => {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
};

describe('what these suites are run against', () => {
  const folder = realpathSync(
    installedIn === undefined
      ? join(process.cwd(), 'lib')
      : join(installedIn, 'node_modules/nestjs-bulwark/dist'),
  );

  it('#202 is what was installed from the tarball, and without one our sources', () => {
    const argument = {
      get id(): never {
        throw new Error('asked for by the library');
      },
    };
    const outside = thrown(() => structuralKey(argument));
    expect(wayOf(outside).some((file) => file.startsWith(`${folder}/`))).toBe(true);

    const clock = { now: () => JSON.parse('{') as number };
    const inside = thrown(() => new FailureLimiter(clock as never).failed('somebody'));
    expect(wayOf(inside).some((file) => file.startsWith(`${folder}/`))).toBe(true);
  });

  it('#202 runs on the Nest that the application has', () => {
    const nest = join('node_modules/@nestjs/core/package.json');
    const { version } = JSON.parse(readFileSync(nest, 'utf8')) as { version: string };
    const wanted = installedIn?.endsWith('nest-11') === true ? '11.2.8' : /^12\./;
    expect(version).toMatch(wanted);
  });
});
