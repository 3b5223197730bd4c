import { readdirSync, readFileSync } from 'node:fs';

describe('the sources of the gate', () => {
  it('#138 no source of the gate compares a secret in another way', () => {
    const folder = new URL('../../lib/nest/recovery/access/', import.meta.url);
    for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.ts'),
    )) {
      const source = readFileSync(new URL(file, folder), 'utf8');
      expect(source).not.toMatch(
        /(?<!typeof )\b(?:token|secret|digest)\w*\s*[!=]==?(?!=)(?!\s*(?:undefined|null)\b)/i,
      );
    }
  });

  it('#159 no route takes an address, a path, a module or an expression', () => {
    const source = readFileSync(
      new URL('../../lib/nest/recovery/recovery.controller.ts', import.meta.url),
      'utf8',
    );
    const fields = [...source.matchAll(/rules: \{([^}]*)\}/g)].flatMap(([, inner]) =>
      [...inner!.matchAll(/(\w+):/g)].map(([, field]) => field!),
    );
    expect(new Set(fields)).toEqual(
      new Set(['key', 'name', 'backup_name', 'dry_run', 'force_rollback', 'keep', 'reason']),
    );
  });
});
