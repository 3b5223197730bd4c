import { FORMAT_HEADER, TAG } from './plain-format.js';

/** More objects and arrays than this are the native writer's: there it is the faster one. */
const MAX_OBJECTS = 64;
/** Up to here a loop is quicker than a call into the platform. */
const SHORT = 32;
/** A buffer that has grown beyond this is not kept. */
const KEEP = 256 * 1024;
/**
 * Writes small plain data in the very format of `v8.serialize`, for `v8.deserialize` to read. Most
 * entries of a journal are so small that making a native serializer costs more than the writing.
 */
export class PlainWriter {
  private bytes = Buffer.allocUnsafe(4 * 1024);
  private at = 0;
  private readonly objects: (object | undefined)[] = [];
  /** How many of them there are. */
  private known = 0;
  private readonly double = new Float64Array(1);
  private readonly doubleBytes = new Uint8Array(this.double.buffer);

  /** @returns undefined if it is too much, or more than a tree of objects, arrays, strings, numbers and the like */
  write(data: unknown): Uint8Array | undefined {
    this.at = 0;
    for (const byte of FORMAT_HEADER) this.byte(byte);
    const isWritten = this.value(data);
    const { at, bytes } = this;
    if (bytes.length > KEEP) this.bytes = Buffer.allocUnsafe(4 * 1024);
    while (this.known > 0) this.objects[(this.known -= 1)] = undefined;
    if (!isWritten) return undefined;
    const copy = Buffer.allocUnsafe(at);
    bytes.copy(copy, 0, 0, at);
    return copy;
  }

  private value(value: unknown): boolean {
    this.reserve(16);
    switch (typeof value) {
      case 'string':
        this.string(value);
        return true;
      case 'number':
        this.number(value);
        return true;
      case 'boolean':
        this.byte(value ? TAG.true : TAG.false);
        return true;
      case 'undefined':
        this.byte(TAG.undefined);
        return true;
      case 'object':
        return value === null ? this.byte(TAG.null) : this.object(value);
      default:
        return false;
    }
  }

  private object(value: object): boolean {
    const { objects, known } = this;
    if (known === MAX_OBJECTS) return false;
    // one that is referred to twice is to stay one; a loop is quicker than a call where they are few
    for (let i = 0; i < known; i += 1) if (objects[i] === value) return false;
    objects[known] = value;
    this.known = known + 1;
    const prototype: unknown = Object.getPrototypeOf(value);
    if (Array.isArray(value)) return prototype === Array.prototype && this.array(value);
    return prototype === Object.prototype && this.fields(value as Record<string, unknown>);
  }

  private array(array: readonly unknown[]): boolean {
    const { length } = array;
    this.byte(TAG.array);
    this.count(length);
    for (let i = 0; i < length; i += 1) {
      const part = array[i];
      if ((part === undefined && !(i in array)) || !this.value(part)) return false;
    }
    this.reserve(16);
    this.byte(TAG.endOfArray);
    this.count(0);
    this.count(length);
    return true;
  }

  private fields(object: Record<string, unknown>): boolean {
    const keys = Object.keys(object);
    this.byte(TAG.object);
    for (const key of keys) {
      this.reserve(16);
      this.string(key);
      if (!this.value(object[key])) return false;
    }
    this.reserve(16);
    this.byte(TAG.endOfObject);
    this.count(keys.length);
    return true;
  }

  private number(value: number): void {
    if ((value | 0) === value && !Object.is(value, -0)) {
      this.byte(TAG.integer);
      this.count(((value << 1) ^ (value >> 31)) >>> 0);
      return;
    }
    this.double[0] = value;
    this.byte(TAG.double);
    this.bytes.set(this.doubleBytes, this.at);
    this.at += 8;
  }

  private string(text: string): void {
    const { length } = text;
    this.reserve(2 * length + 16);
    const { bytes, at } = this;
    this.byte(TAG.asciiString);
    this.count(length);
    if (length > SHORT) {
      if (Buffer.byteLength(text) !== length) return this.wide(text, at);
      this.at += bytes.write(text, this.at, 'latin1');
      return;
    }
    for (let i = 0; i < length; i += 1) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return this.wide(text, at);
      bytes[this.at++] = code;
    }
  }

  /** @param at where it begins: what has been written of it is written over */
  private wide(text: string, at: number): void {
    const length = 2 * text.length;
    this.at = at;
    // its characters are to stand at an even place
    if ((at + 1 + sizeOf(length)) % 2 === 1) this.byte(TAG.padding);
    this.byte(TAG.wideString);
    this.count(length);
    this.at += this.bytes.write(text, this.at, 'utf16le');
  }

  private byte(byte: number): true {
    this.bytes[this.at++] = byte;
    return true;
  }

  /** Seven bits in each byte, the lowest first. */
  private count(value: number): void {
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) this.bytes[this.at++] = (rest & 0x7f) | 0x80;
    this.bytes[this.at++] = rest;
  }

  private reserve(more: number): void {
    if (this.at + more <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(2 * this.bytes.length + more);
    this.bytes.copy(larger, 0, 0, this.at);
    this.bytes = larger;
  }
}

/** How many bytes `count` needs. */
function sizeOf(value: number): number {
  let size = 1;
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) size += 1;
  return size;
}
