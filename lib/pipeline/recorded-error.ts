/** What a record of an error is read for. Not `stack`: reading it has it made, which costs more than all the rest. */
const FACTS = ['name', 'message', 'code', 'status', 'statusCode', 'cause'] as const;

/**
 * The error with what it says now fixed, for listeners who hear of it after others have had it in
 * their hands: whatever these do to it, name, message, code, status and cause stay. All else is
 * read through to the error, and it is still an instance of its class.
 */
export function asItIs(error: unknown): unknown {
  if (typeof error !== 'object' || error === null) return error;
  try {
    const said: PropertyDescriptorMap = {};
    for (const key of FACTS) {
      if (!(key in error)) continue;
      const enumerable = Object.prototype.propertyIsEnumerable.call(error, key);
      said[key] = { value: (error as Record<string, unknown>)[key], enumerable };
    }
    return Object.create(error, said) as unknown;
  } catch {
    return error; // a hostile error says what it likes
  }
}
