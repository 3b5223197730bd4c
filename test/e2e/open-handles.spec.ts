import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../..', import.meta.url));

it('#95 a user’s test that never closes its application ends by itself, with no handle left open', async () => {
  const { stderr } = await promisify(execFile)(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      'node_modules/jest/bin/jest.js',
      '--detectOpenHandles',
      '--testMatch=**/test/e2e/open-handles/never-closed.ts',
    ],
    // without an end of its own it is killed, and that is an error
    { cwd: root, timeout: 60_000 },
  );

  expect(stderr).toContain('1 passed');
  expect(stderr).not.toMatch(/open handle|did not exit|force exiting/i);
}, 90_000);
