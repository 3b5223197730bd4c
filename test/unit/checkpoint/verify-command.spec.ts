import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileCheckpointStore } from '../../../lib/checkpoint/stores/file/file-checkpoint-store.js';
import { verifyCommand } from '../../../lib/checkpoint/stores/file/node-verify-command.js';

describe('bulwark-verify', () => {
  const root = mkdtempSync(join(tmpdir(), 'bulwark-verify-'));
  afterAll(() => rmSync(root, { recursive: true }));
  const directory = join(root, 'store');
  let store: FileCheckpointStore;

  const verify = async (...args: string[]): Promise<{ code: number; said: string }> => {
    let said = '';
    const code = await verifyCommand(args, (text) => (said += text));
    return { code, said };
  };

  beforeAll(async () => {
    store = new FileCheckpointStore({ directory });
    await store.open();
    await store.append(Buffer.from('a')).durable;
    const pieces = [Buffer.alloc(12_345)];
    await store.snapshot([{ component: 'ledger', meta: { height: 7 }, pieces }]);
    await store.create('before-upgrade', [{ component: 'ledger', meta: {}, pieces }]);
    await store.append(Buffer.from('b')).durable;
  });
  afterAll(() => store.close());

  test('shows what there is, beside the running owner, and changes nothing', async () => {
    const before = readdirSync(directory);
    const { code, said } = await verify(directory);
    expect(said).toMatch(
      /^generation 1, made 20\d\d-.*, after entry 1, 12\.3 kB\n {4}ledger: 12\.3 kB \{"height":7\}$/m,
    );
    expect(said).toMatch(/^named before-upgrade, made /m);
    expect(said).toMatch(/^journal: entries 2 to 2, \d+ B\neverything is whole\n$/m);
    expect(code).toBe(0);
    expect(readdirSync(directory)).toEqual(before);
  });

  test('ends with 1 on damage, and names the file', async () => {
    const name = readdirSync(directory).find((name) => name.startsWith('s-'))!;
    const path = join(directory, name);
    const bytes = readFileSync(path);
    writeFileSync(path, Buffer.from(bytes).fill(1, 100, 101));
    const { code, said } = await verify(directory);
    writeFileSync(path, bytes);
    expect(said).toContain(`damage: ${name}: its checksum is wrong\n`);
    expect(said).toMatch(/DAMAGED\n$/);
    expect(code).toBe(1);
  });

  test('ends with 2 where it cannot look, or is not told where', async () => {
    expect(await verify(join(root, 'nowhere'))).toMatchObject({ code: 2 });
    expect((await verify()).said).toMatch(/^bulwark-verify <directory>/);
    expect((await verify('--help')).code).toBe(2);
  });

  test.each(['integrityKey', 'encryptionKey'])(
    'takes the %s from the environment, and without it tells what it can',
    async (option) => {
      const sealed = join(root, option);
      const key = Buffer.alloc(32, option);
      const owner = new FileCheckpointStore({ directory: sealed, [option]: key });
      await owner.open();
      await owner.append(Buffer.from('a')).durable;
      await owner.snapshot([{ component: 'ledger', meta: {}, pieces: [] }]);
      await owner.close();
      const name = `BULWARK_${option === 'integrityKey' ? 'INTEGRITY' : 'ENCRYPTION'}_KEY`;
      const verifyWith = async (value?: string): Promise<{ code: number; said: string }> => {
        let said = '';
        const env = value === undefined ? {} : { [name]: value };
        const code = await verifyCommand([sealed], (text) => (said += text), env);
        return { code, said };
      };

      const other = Buffer.alloc(32, 1).toString('hex');
      const found = await verifyWith(`${other}, ${key.toString('hex')}`);
      expect(found.said).toMatch(/^generation 1, made .*everything is whole\n$/s);
      expect(found.code).toBe(0);

      const blind = await verifyWith();
      expect(blind.said).toMatch(
        /^journal: .*warning: \.: it is sealed: .*nothing damaged that can be told without the key\n$/s,
      );
      expect(blind.code).toBe(2);

      const wrong = await verifyWith(other);
      expect(wrong.said).toMatch(/was written with another/);
      expect(wrong.code).toBe(2);

      const bad = await verifyWith('a secret');
      expect(bad).toEqual({ code: 2, said: expect.stringMatching(`${name} is no key`) as string });
      expect(bad.said).not.toContain('secret');

      const file = readdirSync(sealed).findLast((one) => one.startsWith('j-'))!;
      const bytes = readFileSync(join(sealed, file));
      writeFileSync(join(sealed, file), bytes.fill(0, 20, 21));
      expect((await verifyWith()).code).toBe(1);
    },
  );

  test('is a command of the built package', () => {
    const { bin } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      bin: Record<string, string>;
    };
    const said = execFileSync(process.execPath, [bin['bulwark-verify']!, directory], {
      encoding: 'utf8',
    });
    expect(said).toMatch(/everything is whole\n$/);
  });
});
