import { randomBytes } from 'node:crypto';
import { isSafeName } from '../../safe-name.js';
import { damaged } from './failures.js';

/**
 * The names of the files in a store's directory. All numbers have their full width, so that a
 * listing by name is a listing by age, and each carries the epoch of its owner, so that what an owner
 * who was taken over still writes can never replace a file of its successor:
 *
 * - `lock-<epoch>`
 * - `j-<epoch>-<first sequence>`: a segment of the journal
 * - `s-<generation>-<epoch>-<copy>-<component>`: the state of one component
 * - `g-<generation>-<epoch>-<barrier>-<copy>`: a manifest. `barrier` is the generation that no older one
 *   may stand in for, itself if it is one: told by the name, since the content may be rotten
 * - `named/<name>/`: a checkpoint with a name, complete in itself
 * - `tmp-<random>`: unfinished
 */
export type FileName =
  | { readonly kind: 'lock'; readonly epoch: number }
  | { readonly kind: 'segment'; readonly epoch: number; readonly first: number }
  | {
      readonly kind: 'state';
      readonly generation: number;
      readonly epoch: number;
      readonly copy: number;
      readonly component: string;
    }
  | {
      readonly kind: 'manifest';
      readonly generation: number;
      readonly epoch: number;
      readonly barrier: number;
      readonly copy: number;
    }
  | { readonly kind: 'temporary' };

/** The directory of the checkpoints with a name. */
export const NAMED = 'named';
/** The manifest of a checkpoint with a name. */
export const NAMED_MANIFEST = 'manifest';

/** @throws CheckpointError `CHECKPOINT_DAMAGED`: a longer name would not be found again */
function pad(value: number, width: number): string {
  const digits = String(value).padStart(width, '0');
  if (digits.length === width) return digits;
  throw damaged(
    `The numbers in the file names have come to their end, ${width} digits. No use brings them there, so a file with ` +
      'such a name is not from here: look for one that begins with l, j, g or s and has nines, and move it away.',
  );
}

export const lockName = (epoch: number): string => `lock-${pad(epoch, 10)}`;

export const segmentName = (epoch: number, first: number): string =>
  `j-${pad(epoch, 10)}-${pad(first, 16)}`;

export const stateName = (
  generation: number,
  epoch: number,
  copy: number,
  component: string,
): string => `s-${pad(generation, 10)}-${pad(epoch, 10)}-${copy}-${component}`;

export const manifestName = (
  generation: number,
  epoch: number,
  barrier: number,
  copy: number,
): string => `g-${pad(generation, 10)}-${pad(epoch, 10)}-${pad(barrier, 10)}-${copy}`;

/** 128 bits that nobody can guess, or have planted a link at. */
export const temporaryName = (): string => `tmp-${randomBytes(16).toString('hex')}`;

const TEMPORARY = /^tmp-[0-9a-f]{32}$/;
const LOCK = /^lock-(\d{10})$/;
const SEGMENT = /^j-(\d{10})-(\d{16})$/;
const STATE = /^s-(\d{10})-(\d{10})-([12])-(.+)$/;
const MANIFEST = /^g-(\d{10})-(\d{10})-(\d{10})-([12])$/;

/** Reads a name of ours; undefined for any other, which is then none of our business. */
export function parseFileName(name: string): FileName | undefined {
  switch (name[0]) {
    case 't':
      return TEMPORARY.test(name) ? { kind: 'temporary' } : undefined;
    case 'l':
      return numbers(LOCK, name, ([epoch]) => ({ kind: 'lock', epoch: epoch! }));
    case 'j':
      return numbers(SEGMENT, name, ([epoch, first]) => ({
        kind: 'segment',
        epoch: epoch!,
        first: first!,
      }));
    case 'g':
      return numbers(MANIFEST, name, ([generation, epoch, barrier, copy]) => ({
        kind: 'manifest',
        generation: generation!,
        epoch: epoch!,
        barrier: barrier!,
        copy: copy!,
      }));
    case 's':
      return parseStateName(name);
    default:
      return undefined;
  }
}

function numbers(
  pattern: RegExp,
  name: string,
  make: (numbers: readonly number[]) => FileName,
): FileName | undefined {
  const match = pattern.exec(name);
  return match === null ? undefined : make(match.slice(1).map(Number));
}

function parseStateName(name: string): FileName | undefined {
  const [, generation, epoch, copy, component] = STATE.exec(name) ?? [];
  if (!isSafeName(component)) return undefined;
  return {
    kind: 'state',
    generation: Number(generation),
    epoch: Number(epoch),
    copy: Number(copy),
    component,
  };
}
