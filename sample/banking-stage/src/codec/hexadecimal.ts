/** Lower case only: an address written in two ways would be two accounts. */
export function isHexadecimal(value: unknown, digits: number): value is string {
  return typeof value === 'string' && value.length === digits && /^[0-9a-f]+$/.test(value);
}
