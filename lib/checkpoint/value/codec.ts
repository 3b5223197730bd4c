import { deserialize, serialize } from 'node:v8';
import { CheckpointError } from '../checkpoint.error.js';
import { PlainReader } from './plain-reader.js';
import { PlainWriter } from './plain-writer.js';

/** Makes bytes of plain data and back: dates, maps, sets, bigints and typed arrays included. */
export interface Codec {
  /** Written into each checkpoint: what another codec wrote is refused. */
  readonly name: string;
  encode(data: unknown): Uint8Array;
  decode(bytes: Uint8Array): unknown;
}

const small = new PlainWriter();
const reader = new PlainReader();

/** Node's own: the best fidelity of all that were measured, and no dependency. */
export const v8Codec: Codec = {
  name: 'v8',
  encode: (data) => small.write(data) ?? serialize(data),
  decode(bytes) {
    const plain = reader.read(bytes);
    if (plain !== undefined) return plain.data;
    try {
      return deserialize(bytes);
    } catch (error) {
      // the bytes have passed their checksum: they are what was written
      const message = 'was written by a newer Node than this, whose format it cannot read';
      throw new CheckpointError('CHECKPOINT_VERSION', message, { cause: error });
    }
  },
};
