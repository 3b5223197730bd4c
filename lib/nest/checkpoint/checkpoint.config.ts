import {
  boolean,
  checkOptions,
  integer,
  type Mistake,
  type OptionRules,
} from '../../kernel/check.js';
import type { CheckpointStore } from '../../checkpoint/checkpoint-store.js';
import { checkKeys, type KeyOptions } from '../../checkpoint/stores/key-input.js';
import { checkClasses, type ClassCodecs } from '../../checkpoint/value/class-registry.js';
import type { Codec } from '../../checkpoint/value/codec.js';

/** Where the state of components is kept, and how. */
export interface CheckpointConfig extends KeyOptions {
  /**
   * The directory of the file store: of this application alone, on a disk that outlives the
   * process. No default, for the layer of a container is none.
   */
  directory?: string;
  /** How many whole saved states of each component the file store keeps, from 2. Default 2. */
  generations?: number;
  /**
   * How many bytes the directory may have when a named checkpoint has been made: one that would take it
   * beyond is refused with 507. Journal and generations never are. From 1. Default none.
   */
  maxBytes?: number;
  /** How many named checkpoints are kept, from 1: one more, and the oldest is removed. Default all. */
  retain?: number;
  /** Another store, in place of the files. */
  store?: CheckpointStore;
  /** Classes whose instances may be kept, by the names that stand for them on disk. Default none. */
  classes?: ClassCodecs;
  /** Makes bytes of data. Default Node's `v8.serialize`. */
  codec?: Codec;
  /**
   * Whether every entry is carried out on a second copy of the state and compared with the first; a
   * difference fails the call. For tests: it costs as much as the state is large. Default false.
   */
  verify?: boolean;
}

const has = (value: unknown, ...methods: readonly string[]): boolean =>
  typeof value === 'object' &&
  value !== null &&
  methods.every((name) => typeof (value as Record<string, unknown>)[name] === 'function');

const RULES: OptionRules<CheckpointConfig> = {
  directory: (v) =>
    typeof v === 'string' && v.trim() !== '' ? undefined : 'the path of a directory',
  generations: integer(2),
  maxBytes: integer(1),
  retain: integer(1),
  integrityKey: () => undefined, // looked at by `checkKeys`, which shows nothing of it
  encryptionKey: () => undefined,
  acceptPlain: boolean,
  store: (v) => (has(v, 'open', 'append', 'snapshot') ? undefined : 'a CheckpointStore'),
  classes: () => undefined,
  codec: (v) => (has(v, 'encode', 'decode') ? undefined : 'a Codec'),
  verify: boolean,
};

const OF_FILES = [
  'generations',
  'maxBytes',
  'retain',
  'integrityKey',
  'encryptionKey',
  'acceptPlain',
] as const;

/** Every mistake in the option `checkpoint` of the module. */
export function checkCheckpointConfig(at: string, config: unknown): Mistake[] {
  if (config === undefined) return [];
  const mistakes = checkOptions<CheckpointConfig>(at, config, RULES);
  if (mistakes.length > 0) return mistakes;
  const { directory, store, classes, ...rest } = config as CheckpointConfig;
  for (const name of OF_FILES) {
    if (store === undefined || rest[name] === undefined) continue;
    const problem = 'given beside a store, expected it with a directory';
    mistakes.push({ at: `${at} ${name}`, problem });
  }
  if ((directory === undefined) === (store === undefined)) {
    const got = store === undefined ? 'neither' : 'both';
    mistakes.push({ at, problem: `got ${got}, expected either a directory or a store` });
  }
  return [...mistakes, ...checkKeys(at, rest), ...checkClasses(`${at} classes`, classes)];
}
