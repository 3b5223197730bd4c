// That the smoke test and the matrix go as far as the package promises; what they run, they show themselves.
import { readdirSync, readFileSync } from 'node:fs';
// @ts-expect-error -- a script without types
import { APPLICATIONS } from '../../package/applications.mjs';
// @ts-expect-error -- a script without types
import { securityConfig } from '../../package/security.config.mjs';

interface Config {
  readonly roots: string[];
  readonly testPathIgnorePatterns: string[];
}

const read = (path: string): string => readFileSync(path, 'utf8');
const { peerDependencies, engines } = JSON.parse(read('package.json')) as {
  peerDependencies: Record<string, string>;
  engines: { node: string };
};
const applications = APPLICATIONS as Record<string, { packages: Record<string, string> }>;
const major = (range: string): number => Number(/\d+/.exec(range)![0]);

describe('the packed library', () => {
  it('#202 is put into the oldest and the newest Nest that its peers name, on both adapters', () => {
    const nests = Object.values(applications).map(({ packages }) => packages['@nestjs/core']!);
    const ranges = peerDependencies['@nestjs/core']!.split(' || ');
    expect(nests.map(major).toSorted()).toEqual(ranges.map(major).toSorted());
    // the oldest is the very lowest
    expect(nests).toContain(ranges[0]!.slice(1));
    for (const { packages } of Object.values(applications))
      for (const adapter of ['express', 'fastify'])
        expect(major(packages[`@nestjs/platform-${adapter}`]!)).toBe(
          major(packages['@nestjs/core']!),
        );
  });

  it('#202 meets every security suite there but the one that reads our sources', () => {
    const { roots, testPathIgnorePatterns } = securityConfig('/app', '/here', 'module') as Config;
    expect(roots).toEqual(['<rootDir>/test/security']);
    const left = readdirSync('test/security').filter((name) =>
      testPathIgnorePatterns.some((pattern) => name.includes(pattern)),
    );
    expect(left).toEqual(['recovery-sources.spec.ts']);
  });

  it('#202 meets the lowest of each line of Node that it promises, by `.ci/matrix`', () => {
    const lowest = [...engines.node.matchAll(/\d+\.\d+\.\d+/g)].map(([version]) => version);
    const [, versions] = /versions=\(([^)$"]*\d)\)/.exec(read('.ci/matrix'))!;
    expect(versions!.split(' ')).toEqual(
      expect.arrayContaining(
        lowest.map((one) => (one.endsWith('.0.0') ? String(major(one)) : one)),
      ),
    );
  });
});
