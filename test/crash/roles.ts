import { basename } from 'node:path';
import type { DiskCall } from '../../lib/testing/checkpoint/crash-file-system.js';

/** What a file of the store is, by how it begins: one that is being made has no name of its own yet. */
export function kindOfContent(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.subarray(0, 32)).toString('latin1');
  if (text.startsWith('BULWARK-STATE')) return 'state';
  if (text.startsWith('BULWARK-CHECKPOINT')) return 'manifest';
  if (text.startsWith('BWJ')) return 'segment';
  return /^[0-9a-f]{8} \{/.test(text) ? 'lock' : 'unfinished';
}

const KINDS: Record<string, string> = {
  data: 'above',
  store: 'directory',
  named: 'names',
  manifest: 'manifest',
};

function kindOfName(name: string): string {
  if (name.startsWith('lock-')) return 'lock';
  if (name.startsWith('j-')) return 'segment';
  if (name.startsWith('s-')) return 'state';
  if (name.startsWith('g-')) return 'manifest';
  if (name.startsWith('tmp-')) return 'unfinished';
  return KINDS[name] ?? 'checkpoint';
}

/** What a call to the disk is about, such as `sync state` or `rename named manifest`. */
export function roleOf(call: DiskCall): string {
  const { path, to, bytes, content } = call;
  const byName = kindOfName(basename(to ?? path));
  const begins = content === undefined || content.length === 0 ? bytes : content;
  const kind = byName === 'unfinished' && begins !== undefined ? kindOfContent(begins) : byName;
  return `${call.call} ${path.includes('/named/') ? 'named ' : ''}${kind}`;
}
