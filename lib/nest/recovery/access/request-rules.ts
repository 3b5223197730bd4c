import type { IncomingMessage } from 'node:http';
import type { RecoveryConfig } from '../recovery.config.js';
import {
  hasNoBody,
  headerOf,
  hostNameOf,
  type HostRequest,
  isFromHere,
  rawRequest,
} from './requests.js';
import { Refusal } from './refusal.js';

/** Bytes of a body. */
const MAX_BODY = 16 * 1024;
const HERE = ['localhost', '127.0.0.1', '[::1]'];
/** What a browser says of a request that no other site made. */
const OWN_SITE = ['same-origin', 'none'];

type RuleConfig = Pick<RecoveryConfig, 'allowedHosts' | 'loopbackOnly'>;

/** Where a request may come from. @throws Refusal */
export function checkSource(request: unknown, { allowedHosts, loopbackOnly }: RuleConfig): void {
  const raw = rawRequest(request);
  checkBrowser(raw);
  if (loopbackOnly === true && !isFromHere(raw))
    throw new Refusal(403, 'NOT_LOCAL', 'Only callers on the same machine are let in.');
  const hosts = allowedHosts ?? (loopbackOnly === true ? HERE : undefined);
  if (hosts !== undefined && !isAmong(hosts, hostNameOf(raw)))
    throw new Refusal(421, 'HOST', 'This host name is not one of recovery.allowedHosts.');
}

/** What a request that acts must be made of. @throws Refusal */
export function checkBody(request: unknown): void {
  const raw = rawRequest(request);
  if (raw.method === 'GET' || raw.method === 'HEAD') return;
  const { body } = request as HostRequest;
  const type = headerOf(raw, 'content-type');
  const length = headerOf(raw, 'content-length');
  const isEmpty = hasNoBody(raw);
  if (isEmpty ? type !== undefined && !isJson(type) : !isJson(type))
    throw new Refusal(415, 'CONTENT_TYPE', 'Expected a body of application/json, or none.');
  if (Number(length ?? 0) > MAX_BODY || (!isEmpty && sizeOf(body) > MAX_BODY))
    throw new Refusal(413, 'BODY_TOO_LARGE', `Expected a body of at most ${MAX_BODY} bytes.`);
  // to take a body that nobody read for none would act where a preview was asked for
  if (!isEmpty && body === undefined)
    throw new Refusal(400, 'BODY', 'The body was not read: the application parses no JSON.');
}

/** A page of another site can make a browser send requests, and has no other way in. */
function checkBrowser(raw: IncomingMessage): void {
  const site = headerOf(raw, 'sec-fetch-site');
  const origin = headerOf(raw, 'origin');
  const isOwn =
    (site === undefined || (site !== null && OWN_SITE.includes(site))) &&
    (origin === undefined || (origin !== null && hostOf(origin) === hostNameOf(raw)));
  if (!isOwn) throw new Refusal(403, 'CROSS_SITE', 'Requests from other sites are refused.');
}

function hostOf(origin: string): string | undefined {
  try {
    return new URL(origin).host;
  } catch {
    return undefined; // such as `null`
  }
}

function isAmong(hosts: readonly string[], host: string | null | undefined): boolean {
  if (host === undefined || host === null) return false;
  const given = host.toLowerCase();
  const name = given.replace(/:\d*$/, '');
  return hosts.some((allowed) => [given, name].includes(allowed.toLowerCase()));
}

function isJson(type: string | null | undefined): boolean {
  return (
    typeof type === 'string' &&
    /^application\/json[ \t]*(?:;[ \t]*charset="?utf-8"?[ \t]*)?$/i.test(type)
  );
}

/** Of a body that came in chunks, as far as it can be told. */
function sizeOf(body: unknown): number {
  try {
    return Buffer.byteLength(JSON.stringify(body) ?? '');
  } catch {
    return Number.POSITIVE_INFINITY; // deeper than the stack
  }
}
