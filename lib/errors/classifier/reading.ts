/** One property, or undefined where it cannot be read: errors are data of strangers. */
export function read(object: unknown, key: string): unknown {
  try {
    return (object as Record<string, unknown>)[key];
  } catch {
    return undefined; // a getter or a Proxy that throws, or nothing that has properties
  }
}

/** How much of a message is looked at. */
const MESSAGE = 200;

/** One error on the way through its causes. No property of it is read twice. */
export class Reading {
  readonly name: string;
  readonly code: unknown;
  private said: string | undefined;

  constructor(readonly error: object) {
    const name = read(error, 'name');
    this.name = typeof name === 'string' ? name : '';
    this.code = read(error, 'code');
  }

  /** For what only one family asks for. */
  get(key: string): unknown {
    return read(this.error, key);
  }

  /** The beginning of the message. */
  get message(): string {
    if (this.said === undefined) {
      const message = read(this.error, 'message');
      this.said = typeof message === 'string' ? message.slice(0, MESSAGE) : '';
    }
    return this.said;
  }
}
