import { RpcError } from './rpc.error.js';
import type { RpcErrorBody } from './rpc.error.js';

export type RpcId = string | number | null;
export type RpcParams = readonly unknown[] | Readonly<Record<string, unknown>>;

export interface RpcRequest {
  /** Absent: a notification, which gets no answer, not even an error. */
  readonly id?: RpcId;
  readonly method: string;
  readonly params: RpcParams;
}

export type RpcAnswer =
  | { readonly jsonrpc: '2.0'; readonly id: RpcId; readonly result: unknown }
  | { readonly jsonrpc: '2.0'; readonly id: RpcId; readonly error: RpcErrorBody };

/** A short text can ask for a long answer (`getBlock`), and a batch for many of them. */
export const MAX_BATCH = 20;
/** How much of what a stranger sent is worth repeating in an error. */
const SHOWN = 60;

/** Quoted, and cut to a length at which it can be read. */
export function shown(text: string): string {
  return JSON.stringify(text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}…`);
}

export function resultAnswer(id: RpcId, result: unknown): RpcAnswer {
  return { jsonrpc: '2.0', id, result: result ?? null };
}

export function errorAnswer(id: RpcId, error: RpcError): RpcAnswer {
  return { jsonrpc: '2.0', id, error: error.body };
}

export function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new RpcError('parse-error', 'the body is not JSON');
  }
}

/** The id of whatever was sent, so that even the answer to an invalid request finds its sender. */
export function idOf(body: unknown): RpcId {
  const id = isObject(body) ? body['id'] : null;
  return isId(id) ? id : null;
}

/** What was sent, one by one; undefined where it is not a batch. */
export function batchOf(body: unknown): readonly unknown[] | undefined {
  if (!Array.isArray(body)) return undefined;
  if (body.length === 0) throw invalid('a batch must not be empty');
  if (body.length > MAX_BATCH) throw invalid(`a batch holds at most ${MAX_BATCH} requests`);
  return body;
}

export function parseRequest(body: unknown): RpcRequest {
  if (!isObject(body)) throw invalid('a request must be an object');
  const { jsonrpc, id, method, params = [] } = body;
  if (jsonrpc !== '2.0') throw invalid('jsonrpc must be "2.0"');
  if (typeof method !== 'string') throw invalid('method must be a string');
  if (!Array.isArray(params) && !isObject(params)) {
    throw invalid('params must be an array or an object');
  }
  if (!Object.hasOwn(body, 'id')) return { method, params };
  if (!isId(id)) throw invalid('id must be a string, a number that JSON carries exactly, or null');
  return { id, method, params };
}

/** Lines the params up with the method's names; one that ends in `?` may be left out. */
export function arrangeParams(names: readonly string[], params: RpcParams): unknown[] {
  const plain = names.map((name) => name.replace('?', ''));
  const given = Array.isArray(params) ? byPosition(plain, params) : byName(plain, params);
  const missing = names.findIndex((name, at) => given[at] === undefined && !name.endsWith('?'));
  if (missing >= 0) throw new RpcError('invalid-params', `${plain[missing]} is missing`);
  return given;
}

function byPosition(names: readonly string[], params: readonly unknown[]): unknown[] {
  if (params.length > names.length) {
    throw new RpcError('invalid-params', `takes (${names.join(', ')}) and no more`);
  }
  return names.map((_, at) => params[at]);
}

function byName(names: readonly string[], params: RpcParams): unknown[] {
  const named = new Map<string, unknown>(Object.entries(params));
  const unknown = [...named.keys()].find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new RpcError('invalid-params', `takes (${names.join(', ')}), not ${shown(unknown)}`);
  }
  return names.map((name) => named.get(name));
}

function invalid(problem: string): RpcError {
  return new RpcError('invalid-request', problem);
}

function isId(value: unknown): value is RpcId {
  if (value === null || typeof value === 'string') return true;
  // An integer beyond these was rounded when it was parsed: the answer would be someone else's.
  return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
