import type { ErrorFacts } from '../error-context.js';
import { clean as withoutOwn, type Clean } from './clean.js';
import { framesOf } from './frames.js';

export interface FactsOptions {
  /** Whether the stack is read, which has it made and costs more than all the rest. Default false. */
  readonly stack?: boolean;
  /** Every text goes through it. Default: takes out the secrets that we know. */
  readonly clean?: Clean;
}

const MAX_NAME = 100;
const MAX_MESSAGE = 2_048;
const MAX_CAUSES = 5;
const MAX_MEMBERS = 3;
const MAX_MEMBER = 200;
/** All texts together; an entry of the log has a quarter more for what else it says. */
const MAX_FACTS = 12_288;
const MAX_STACK = 8_192;

type Writable = { -readonly [K in keyof ErrorFacts]: ErrorFacts[K] };

/**
 * What is read of an error, and all that is: `name`, `message`, `code`, `status` or `statusCode`,
 * `cause` to a depth of 5, the first 3 `errors` of an AggregateError, and `stack` if asked for.
 * Each is read at most once. Never `config`, `request`, `response`, `command`, `parameters`, nor
 * anything else that an error may carry; no method of it is called. Never throws, whatever was
 * thrown; the texts are at most 12 KB together.
 */
export function factsOf(error: unknown, options: FactsOptions = {}): ErrorFacts {
  const reader = new ErrorReader(error, options.clean ?? withoutOwn);
  return options.stack === true ? reader.withStack() : reader.facts;
}

/** `Error: what it says`. */
export function headline({ name, message }: Pick<ErrorFacts, 'name' | 'message'>): string {
  return message === '' ? name : `${name}: ${message}`;
}

/** Reads an error in two steps: only whoever knows the facts can say whether the stack is wanted. */
export class ErrorReader {
  readonly facts: ErrorFacts;
  /** Of the error itself, before it was cut. */
  private messageLength = 0;
  private left = MAX_FACTS;

  constructor(
    private readonly error: unknown,
    private readonly clean: Clean,
  ) {
    this.facts = this.read(error, [error]);
  }

  /** The facts with the stack, as far as there is one. */
  withStack(): ErrorFacts {
    const frames = framesOf(get(this.error, 'stack'), this.messageLength);
    const stack = frames === undefined ? '' : this.text(frames, MAX_STACK);
    return stack === '' ? this.facts : { ...this.facts, stack };
  }

  private read(error: unknown, seen: unknown[]): ErrorFacts {
    const facts: Writable = this.headOf(error, MAX_MESSAGE, seen.length === 1);
    if (!isBag(error)) return facts;
    const code = get(error, 'code');
    if (isShort(code)) facts.code = this.text(String(code), MAX_NAME);
    const status = numberOf(get(error, 'status')) ?? numberOf(get(error, 'statusCode'));
    if (status !== undefined) facts.status = status;
    if (facts.name === 'AggregateError') this.addMembers(facts, get(error, 'errors'));
    const cause = get(error, 'cause');
    const known = cause === undefined || cause === null || seen.includes(cause);
    if (known || seen.length > MAX_CAUSES || this.left < MAX_NAME) return facts;
    seen.push(cause);
    facts.cause = this.read(cause, seen);
    return facts;
  }

  private text(text: string, max: number): string {
    const given = this.clean(text, Math.min(max, this.left));
    this.left -= given.length;
    return given;
  }

  private headOf(error: unknown, max: number, first = false): Writable {
    if (!isBag(error)) return { name: nameOfType(error), message: this.text(say(error), max) };
    const name = get(error, 'name');
    const message = say(get(error, 'message'));
    if (first) this.messageLength = message.length;
    return {
      name: this.text(typeof name === 'string' && name !== '' ? name : typeof error, MAX_NAME),
      message: this.text(message, max),
    };
  }

  /** A connection that was tried over several addresses says what happened only in its members. */
  private addMembers(facts: Writable, members: unknown): void {
    try {
      if (!Array.isArray(members)) return;
      const count = members.length;
      const told: string[] = [];
      for (let i = 0; i < Math.min(count, MAX_MEMBERS); i += 1)
        told.push(headline(this.headOf(get(members, i), MAX_MEMBER)));
      if (count > MAX_MEMBERS) told.push('...');
      const space = facts.message === '' ? '' : ' ';
      const room = MAX_MESSAGE - facts.message.length;
      facts.message += this.text(`${space}(${count} errors: ${told.join('; ')})`, room);
    } catch {
      // a list that cannot be read has nothing to say
    }
  }
}

function isBag(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

function get(bag: unknown, key: string | number): unknown {
  if (!isBag(bag)) return undefined;
  try {
    return (bag as Record<string | number, unknown>)[key];
  } catch {
    return undefined; // a getter or a proxy that throws keeps it to itself
  }
}

/** What needs no method to be called; a long bigint would take seconds to be written. */
function say(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint') return 'a bigint';
  return isBag(value) || value === undefined || value === null ? '' : String(value);
}

function nameOfType(value: unknown): string {
  return value === null ? 'null' : typeof value;
}

function isShort(code: unknown): code is string | number {
  return (typeof code === 'string' && code !== '') || typeof code === 'number';
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
