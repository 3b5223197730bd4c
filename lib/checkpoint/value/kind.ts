/** What a value is, for keeping it; recognised in any realm, since tests run in realms of their own. */
export type Kind =
  'primitive' | 'array' | 'plain' | 'date' | 'map' | 'set' | 'bytes' | 'instance' | 'refused';

/** The built-ins that are kept with all their parts, by their tag. */
const BY_TAG: Readonly<Record<string, Kind>> = {
  '[object Date]': 'date',
  '[object Map]': 'map',
  '[object Set]': 'set',
  '[object ArrayBuffer]': 'bytes',
  '[object DataView]': 'bytes',
};

/** The prototype of a typed array's prototype says nothing of the realm, but its tag does. */
const tagOf = (value: object): string => Object.prototype.toString.call(value);

export function kindOf(value: unknown): Kind {
  switch (typeof value) {
    case 'function':
    case 'symbol':
      return 'refused';
    case 'object':
      return value === null ? 'primitive' : kindOfObject(value);
    default:
      return 'primitive';
  }
}

function kindOfObject(value: object): Kind {
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === Object.prototype) return 'plain';
  if (prototype === Array.prototype) return 'array';
  if (prototype === null) return 'refused';
  const isBase = Object.getPrototypeOf(prototype) === null;
  if (isBase && Object.hasOwn(prototype, 'isPrototypeOf')) return 'plain';
  if (Array.isArray(value)) return isBuiltIn(prototype, 'Array') ? 'array' : 'instance';
  if (ArrayBuffer.isView(value)) return isBytes(value, prototype) ? 'bytes' : 'instance';
  const tagged = Object.hasOwn(BY_TAG, tagOf(value)) ? BY_TAG[tagOf(value)]! : 'instance';
  return tagged !== 'instance' && isBuiltIn(prototype, tagOf(value).slice(8, -1))
    ? tagged
    : 'instance';
}

function isBytes(value: ArrayBufferView, prototype: object): boolean {
  if (typeof SharedArrayBuffer === 'function' && tagOf(value.buffer).includes('Shared'))
    return false;
  const name = (prototype.constructor as { name?: unknown }).name;
  return (
    name === 'Buffer' || name === 'FastBuffer' || isBuiltIn(prototype, tagOf(value).slice(8, -1))
  );
}

/** Whether it is the prototype of that built-in itself, not of a class that extends it. */
function isBuiltIn(prototype: object, name: string): boolean {
  const { constructor } = prototype as { constructor?: { name?: unknown } };
  return (
    typeof constructor === 'function' &&
    constructor.name === name &&
    Function.prototype.toString.call(constructor).includes('[native code]')
  );
}
