import { FORMAT_HEADER, TAG } from './plain-format.js';

/** Nested deeper, it is the native reader's. */
const MAX_DEPTH = 64;
/** More bytes are the native reader's: there it is the faster one. */
const MAX_BYTES = 16 * 1024;

const NOTHING = Buffer.alloc(0);

/**
 * Reads what `PlainWriter` writes, and all that `v8.serialize` makes of the like. A restart reads every
 * entry of the journal, and making a native deserializer costs more than the reading of a small one.
 */
export class PlainReader {
  private bytes: Buffer = NOTHING;
  private at = 0;
  private depth = 0;
  /** Whether something came that only the native reader knows. */
  private isForeign = false;

  /** @returns undefined if it is too much, or anything else than a tree of objects, arrays, strings, numbers and the like */
  read(bytes: Uint8Array): { readonly data: unknown } | undefined {
    const { length } = bytes;
    if (length > MAX_BYTES || length < 3) return undefined;
    if (bytes[0] !== FORMAT_HEADER[0] || bytes[1] !== FORMAT_HEADER[1]) return undefined;
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, length);
    this.at = 2;
    this.depth = 0;
    this.isForeign = false;
    const data = this.value();
    this.bytes = NOTHING; // it may be part of something large
    return this.isForeign || this.at !== length ? undefined : { data };
  }

  private value(): unknown {
    switch (this.bytes[this.at++]) {
      case TAG.asciiString:
        return this.string('latin1');
      case TAG.wideString:
        return this.string('utf16le');
      case TAG.padding:
        return this.bytes[this.at++] === TAG.wideString ? this.string('utf16le') : this.foreign();
      case TAG.integer:
        return this.integer();
      case TAG.double:
        return this.double();
      case TAG.true:
        return true;
      case TAG.false:
        return false;
      case TAG.null:
        return null;
      case TAG.undefined:
        return undefined;
      case TAG.array:
        return this.nested(this.array);
      case TAG.object:
        return this.nested(this.object);
      default:
        return this.foreign();
    }
  }

  private nested(read: () => unknown): unknown {
    if (this.depth === MAX_DEPTH) return this.foreign();
    this.depth += 1;
    const value = read.call(this);
    this.depth -= 1;
    return value;
  }

  private array(): unknown {
    const length = this.count();
    // every part has a byte at least
    if (length > this.bytes.length - this.at) return this.foreign();
    const array: unknown[] = [];
    for (let i = 0; i < length && !this.isForeign; i += 1) array.push(this.value());
    const isPlain = this.bytes[this.at++] === TAG.endOfArray;
    return isPlain && this.count() === 0 && this.count() === length ? array : this.foreign();
  }

  private object(): unknown {
    const object: Record<string, unknown> = {};
    let fields = 0;
    while (this.bytes[this.at] !== TAG.endOfObject) {
      const key = this.value();
      // an assignment makes no field of `__proto__`, and none at all of what a frozen prototype has
      if (this.isForeign || typeof key !== 'string' || key in object) return this.foreign();
      object[key] = this.value();
      fields += 1;
    }
    this.at += 1;
    return this.count() === fields ? object : this.foreign();
  }

  private string(encoding: 'latin1' | 'utf16le'): unknown {
    const length = this.count();
    const from = this.at;
    this.at += length;
    if (this.at > this.bytes.length) return this.foreign();
    return this.bytes.toString(encoding, from, this.at);
  }

  private integer(): number {
    const zigzag = this.count();
    return (zigzag >>> 1) ^ -(zigzag & 1);
  }

  private double(): unknown {
    const { at } = this;
    this.at += 8;
    return this.at > this.bytes.length ? this.foreign() : this.bytes.readDoubleLE(at);
  }

  /** Seven bits in each byte, the lowest first. */
  private count(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) break;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    this.isForeign = true;
    return 0;
  }

  private foreign(): undefined {
    this.isForeign = true;
    return undefined;
  }
}
