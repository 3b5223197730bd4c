import { createHash } from 'node:crypto';
import type { CheckpointInfo, PartMeta, Sequence } from '../../checkpoint-store.js';
import { CheckpointError } from '../../checkpoint.error.js';
import { firstCollision, isSafeName } from '../../safe-name.js';
import { isMeta, isRecord } from '../store-checks.js';
import { parseFileName } from './file-names.js';
import { keyError, type Keyring, type SealKey } from './keyring.js';
import { findSeal, newSeal } from './seal.js';

/** The state of one component in a manifest. */
export interface ManifestPart {
  readonly component: string;
  readonly meta: PartMeta;
  /** How many bytes the pieces have together. */
  readonly bytes: number;
  /** The files that hold it, all alike: one, or two behind a barrier. */
  readonly files: readonly string[];
  readonly fileBytes: number;
  readonly sha256: string;
  /** The mark of the key that its files are sealed with; undefined if they are plain. */
  readonly seal?: string;
}

/** What a checkpoint consists of. It is published last: without a whole manifest there is no checkpoint. */
export interface Manifest {
  readonly store: string;
  /** 0 for one with a name. */
  readonly generation: number;
  readonly epoch: number;
  /** The generation that no older one may stand in for; 0 if there is none. */
  readonly barrier: number;
  readonly createdAt: number;
  /** The last entry whose effect is in the states. */
  readonly sequence: Sequence;
  readonly name?: string;
  readonly parts: readonly ManifestPart[];
}

export const MANIFEST_SIGNATURE = 'BULWARK-CHECKPOINT ';
const FORMAT = 1;
/** The head of a seal in the place of the checksum, and what the seal makes of the JSON in its. */
const SEALED_FORMAT = 2;
const HEAD = /^BULWARK-CHECKPOINT (\d{1,9}) ([0-9a-f]{64,256})\n/;
const PURPOSE = 'manifest';
const NOTHING = Buffer.alloc(0);
/** No manifest of ours comes near; a file of another size is not read into memory. */
export const MAX_MANIFEST_BYTES = 16 * 1024 * 1024;

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

export function encodeManifest(manifest: Manifest, key?: SealKey): Buffer {
  const json = `${JSON.stringify(manifest, undefined, 1)}\n`;
  if (key === undefined) {
    return Buffer.from(`${MANIFEST_SIGNATURE}${FORMAT} ${digest(json)}\n${json}`);
  }
  const { head, seal } = newSeal(key, PURPOSE);
  const first = Buffer.from(`${MANIFEST_SIGNATURE}${SEALED_FORMAT} ${head.toString('hex')}\n`);
  const { body, tag } = seal.seal(0, NOTHING, Buffer.from(json));
  return Buffer.concat([first, body, tag]);
}

/**
 * Reads a manifest, believing nothing: names in it are as hostile as those in a URL.
 *
 * @returns the manifest, or what is wrong with it
 * @throws CheckpointError `CHECKPOINT_VERSION` if newer code wrote it, `CHECKPOINT_KEY` if our keys are not for it
 */
export function decodeManifest(bytes: Buffer, keys: Keyring, where: string): Manifest | string {
  const [line, format, mark] = HEAD.exec(bytes.toString('latin1', 0, 300)) ?? [];
  if (line === undefined || mark === undefined) return 'it does not begin as a manifest';
  if (Number(format) > SEALED_FORMAT) {
    throw new CheckpointError(
      'CHECKPOINT_VERSION',
      `A checkpoint was written in format ${format}, and this version knows formats up to ${SEALED_FORMAT}: use the version that wrote it, or a newer one.`,
    );
  }
  const body = bytes.subarray(line.length);
  if (Number(format) !== SEALED_FORMAT) {
    const json = body.toString('utf8');
    if (digest(json) !== mark) return 'its checksum is wrong';
    keys.assertPlain(where);
    return parse(json);
  }
  if (keys.isBlind) throw keyError(`${where} is sealed.`);
  const seal = findSeal(Buffer.from(mark, 'hex'), keys, PURPOSE, where);
  const json = seal?.open(0, NOTHING, body)?.toString('utf8');
  return json === undefined ? 'its seal is broken' : parse(json);
}

function parse(json: string): Manifest | string {
  try {
    const value: unknown = JSON.parse(json);
    return isManifest(value) ? value : 'it is not what a manifest should be';
  } catch {
    return 'it is not JSON';
  }
}

/** Of a `Date`, in milliseconds: whoever shows one that is beyond would throw. */
const MAX_TIME = 8.64e15;

const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0;

function isManifest(value: unknown): value is Manifest {
  if (!isRecord(value)) return false;
  const { store, generation, epoch, barrier, createdAt, sequence, name, parts } = value;
  return (
    typeof store === 'string' &&
    /^[0-9a-f]{32}$/.test(store) &&
    [generation, epoch, barrier, sequence].every(isCount) &&
    typeof createdAt === 'number' &&
    Math.abs(createdAt) <= MAX_TIME &&
    (name === undefined || isSafeName(name)) &&
    Array.isArray(parts) &&
    parts.every(isPart) &&
    firstCollision(parts.map(({ component }) => component)) === undefined
  );
}

function isPart(value: unknown): value is ManifestPart {
  if (!isRecord(value)) return false;
  const { component, meta, bytes, files, fileBytes, sha256, seal } = value;
  return (
    isSafeName(component) &&
    isMeta(meta) &&
    isCount(bytes) &&
    isCount(fileBytes) &&
    typeof sha256 === 'string' &&
    /^[0-9a-f]{64}$/.test(sha256) &&
    (seal === undefined || (typeof seal === 'string' && /^[0-9a-f]{16}$/.test(seal))) &&
    Array.isArray(files) &&
    files.length > 0 &&
    files.length <= 2 &&
    files.every((file) => isStateOf(file, component))
  );
}

/** Only a name that we could have given: no path, and no other kind of file. */
function isStateOf(file: unknown, component: string): boolean {
  if (typeof file !== 'string') return false;
  const name = parseFileName(file);
  return name?.kind === 'state' && name.component === component;
}

export function infoOf(manifest: Manifest): CheckpointInfo {
  const { name, generation, createdAt, sequence, parts } = manifest;
  return {
    id: name ?? String(generation),
    named: name !== undefined,
    createdAt,
    sequence,
    bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
    components: parts.map(({ component, meta, bytes }) => ({ component, meta, sequence, bytes })),
  };
}
