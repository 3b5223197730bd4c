import { randomBytes } from 'node:crypto';
import { isSafeName } from '../../safe-name.js';

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

const pad = (value: number, width: number): string => String(value).padStart(width, '0');

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
  if (TEMPORARY.test(name)) return { kind: 'temporary' };
  let match = LOCK.exec(name);
  if (match !== null) return { kind: 'lock', epoch: Number(match[1]) };
  match = SEGMENT.exec(name);
  if (match !== null) {
    return { kind: 'segment', epoch: Number(match[1]), first: Number(match[2]) };
  }
  match = STATE.exec(name);
  if (match !== null) {
    const [, generation, epoch, copy, component] = match;
    if (!isSafeName(component)) return undefined;
    const numbers = { generation: Number(generation), epoch: Number(epoch), copy: Number(copy) };
    return { kind: 'state', ...numbers, component };
  }
  match = MANIFEST.exec(name);
  if (match !== null) {
    const [generation, epoch, barrier, copy] = match.slice(1).map(Number);
    return {
      kind: 'manifest',
      generation: generation!,
      epoch: epoch!,
      barrier: barrier!,
      copy: copy!,
    };
  }
  return undefined;
}
