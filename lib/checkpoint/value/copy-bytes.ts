/** The same bytes in memory of their own, in an object of the same class. */
export function copyBytes(value: ArrayBuffer | ArrayBufferView): unknown {
  if (!ArrayBuffer.isView(value)) return value.slice(0);
  if (Object.prototype.toString.call(value) === '[object DataView]')
    return new DataView(
      value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength) as ArrayBuffer,
    );
  // slice of a Buffer would be a view of the same bytes; from() copies, and keeps the class
  const { constructor } = value as unknown as { constructor: { from(of: unknown): unknown } };
  return constructor.from(value);
}
