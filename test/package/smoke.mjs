// Packs the library, installs the tarball into fresh applications outside the repository, and uses
// it there as its users will. `npm run smoke`; one application alone: `npm run smoke -- nest-11`.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { APPLICATIONS } from './applications.mjs';
import { review } from './contents.mjs';
import { securityConfig } from './security.config.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const here = (name) => join(root, 'test/package', name);
const place = mkdtempSync(join(tmpdir(), 'bulwark-smoke-'));
const npm = (cwd, ...args) =>
  execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
/** A tool of ours, whose word counts when it is not content. */
function content(tool, ...args) {
  const all = [join(root, 'node_modules', tool), ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, all, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${tool} is not content:\n${stdout}${stderr}`);
}

// as in a container: on a terminal a token would be made that lets somebody in
const env = { ...process.env, NODE_ENV: 'production' };
const node = (cwd, ...args) => execFileSync(process.execPath, args, { cwd, env, stdio: 'inherit' });

/** What an application may lack, and the folders that are away when it does. */
const OPTIONAL = {
  swagger: ['@nestjs/swagger'],
  throttler: ['@nestjs/throttler'],
  validator: ['class-validator', 'class-transformer'],
  telemetry: ['@opentelemetry/api'],
};

function pack() {
  const [packed] = JSON.parse(
    npm(root, 'pack', '--json', '--ignore-scripts', '--pack-destination', place),
  );
  const tarball = join(place, packed.filename);
  review(packed, root);
  content('publint/src/cli.js', 'run', tarball, '--strict');
  content('@arethetypeswrong/cli/dist/index.js', tarball);
  console.log(
    `${packed.filename}: ${packed.files.length} files, ${packed.size} bytes; contents, publint and attw are content`,
  );
  return tarball;
}

function install(name, { type, packages }, tarball) {
  const app = join(place, name);
  mkdirSync(app);
  writeFileSync(join(app, 'package.json'), JSON.stringify({ name, private: true, type }));
  const wanted = Object.entries(packages).map(([name, version]) => `${name}@${version}`);
  const flags = '--no-audit --no-fund --ignore-scripts --prefer-offline --loglevel=error'.split(
    ' ',
  );
  npm(app, 'install', ...flags, tarball, ...wanted);
  cpSync(here('app'), app, { recursive: true });
  return app;
}

/** Compiled by the application's own compiler, and run, on Express and on Fastify. */
function itself(app, { compile }) {
  const flags =
    '--strict --experimentalDecorators --emitDecoratorMetadata --types node --outDir built'.split(
      ' ',
    );
  node(app, 'node_modules/typescript/bin/tsc', ...flags, ...compile, 'application.ts');
  node(app, 'built/application.js');
}

/** #98: one copy, however it is loaded; and two, where Node is told to behave like a tool that cannot `require` modules. */
function copies(app, _, name) {
  node(app, 'copies.mjs', 'one');
  // Nest 12 itself is all modules
  if (name === 'nest-11') node(app, '--no-experimental-require-module', 'copies.mjs', 'two');
}

/** #99: every set of optional packages, by taking away the folders of the others. */
function optionals(app, _, name) {
  const names = Object.keys(OPTIONAL);
  const all = 2 ** names.length;
  for (let set = 0; set < all; set += 1) {
    // the boot does not differ between the versions of Nest but in what Nest itself loads
    if (name !== 'nest-12' && set !== 0 && set !== all - 1) continue;
    const there = names.filter((_, i) => (set & (1 << i)) !== 0);
    const away = names.filter((one) => !there.includes(one)).flatMap((one) => OPTIONAL[one]);
    away.forEach((folder) => move(app, folder, 'node_modules', '.away'));
    node(app, 'boot.mjs', there.join());
    away.forEach((folder) => move(app, folder, '.away', 'node_modules'));
  }
}

function move(app, folder, from, to) {
  mkdirSync(dirname(join(app, to, folder)), { recursive: true });
  renameSync(join(app, from, folder), join(app, to, folder));
}

/** #202: the security suites against what was installed, by our runner, in the application's module format. */
function security(app, { type }) {
  const parts = [
    'security',
    'nest/support',
    'nest/recovery/gate-host.ts',
    'support/no-unhandled.ts',
  ];
  for (const part of parts)
    cpSync(join(root, 'test', part), join(app, 'test', part), { recursive: true });
  // what they import of the library's inside is that of the tarball
  const inside = `node_modules/nestjs-bulwark/dist${type === 'module' ? '' : '/cjs'}`;
  symlinkSync(inside, join(app, 'lib'), 'dir');
  writeFileSync(join(app, 'security.json'), JSON.stringify(securityConfig(app, root, type)));
  const flags = type === 'module' ? ['--experimental-vm-modules'] : [];
  runner(app, [...flags, join(root, 'node_modules/jest/bin/jest.js')], 'security.json', {
    BULWARK_INSTALLED_IN: app,
  });
}

/** The application's own Jest, which compiles to CommonJS. */
function jest(app) {
  runner(app, ['node_modules/jest/bin/jest.js'], 'jest.json');
}

function runner(app, start, config, told) {
  const args = [...start, '--maxWorkers=100%', '--silent', '--config', config];
  const stdio = ['ignore', 'inherit', 'inherit'];
  execFileSync(process.execPath, args, { cwd: app, stdio, env: { ...process.env, ...told } });
}

function visit(name, application, tarball) {
  const app = install(name, application, tarball);
  const steps = {
    'compiled and run on Express and Fastify': itself,
    '#98 one copy of the package, however it is loaded': copies,
    '#99 every set of optional packages boots, with /recovery shut': optionals,
    '#202 the security suites against what was installed': security,
    ...(application.packages.jest && { 'its own Jest': jest }),
  };
  for (const [step, run] of Object.entries(steps)) {
    const started = performance.now();
    run(app, application, name);
    console.log(`${name}: ${step} (${((performance.now() - started) / 1_000).toFixed(1)} s)`);
  }
}

const only = process.argv[2] ?? '';
try {
  const tarball = pack();
  for (const [name, application] of Object.entries(APPLICATIONS))
    if (name.startsWith(only)) visit(name, application, tarball);
} finally {
  rmSync(place, { recursive: true, force: true });
}
