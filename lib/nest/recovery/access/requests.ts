import type { IncomingMessage, ServerResponse } from 'node:http';

/** What Express and Fastify have in common: itself Node's, or around it. */
export interface HostRequest {
  readonly raw?: IncomingMessage;
  readonly body?: unknown;
  readonly params?: unknown;
  readonly user?: unknown;
}

export function rawRequest(request: unknown): IncomingMessage {
  return (request as HostRequest).raw ?? (request as IncomingMessage);
}

export function rawResponse(response: unknown): ServerResponse {
  return (response as { raw?: ServerResponse }).raw ?? (response as ServerResponse);
}

/** The one value of a header that must not come twice; undefined without it, null if it came again. */
export function headerOf({ rawHeaders }: IncomingMessage, name: string): string | null | undefined {
  let value: string | undefined;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]!.toLowerCase() !== name) continue;
    if (value !== undefined) return null;
    value = rawHeaders[i + 1]!;
  }
  return value;
}

/** Whether no body was sent; over HTTP/2 no header has to tell. */
export function hasNoBody(request: IncomingMessage): boolean {
  const { stream } = request as { stream?: { endAfterHeaders?: boolean } };
  if (stream !== undefined) return stream.endAfterHeaders === true;
  const length = Number(headerOf(request, 'content-length') ?? 0);
  return request.headers['transfer-encoding'] === undefined && length === 0;
}

/** Whether nobody is there for the answer any more; over HTTP/2 its stream tells. */
export function isOver(response: ServerResponse): boolean {
  const { destroyed, stream } = response as {
    destroyed?: boolean;
    stream?: { destroyed: boolean };
  };
  return destroyed ?? stream?.destroyed ?? false;
}

/** The name under which the client knows this server; HTTP/2 has another word for it. */
export function hostNameOf(request: IncomingMessage): string | null | undefined {
  const host = headerOf(request, 'host');
  return host === undefined ? headerOf(request, ':authority') : host;
}

/** Of the socket, the one thing about its address that a client cannot choose. IPv6 by its network. */
export function addressOf({ socket }: IncomingMessage): string {
  const { remoteAddress } = socket;
  if (remoteAddress === undefined || remoteAddress === '')
    return socket.destroyed ? 'gone' : 'local';
  const plain = withoutMapping(remoteAddress);
  if (!plain.includes(':')) return plain;
  // a subscriber has a whole /64 to choose from
  const [head = ''] = plain.split('%');
  return isLoopbackAddress(head) ? head : `${expand(head).slice(0, 4).join(':')}::/64`;
}

/** Whether the other end is on this machine, and nobody sits between. A unix socket is. */
export function isFromHere({ socket, headers }: IncomingMessage): boolean {
  const { remoteAddress } = socket;
  if (PROXIES.some((name) => headers[name] !== undefined)) return false;
  // that of a client that has left is forgotten, wherever it was
  if (remoteAddress === undefined) return !socket.destroyed;
  return isLoopbackAddress(withoutMapping(remoteAddress));
}

const PROXIES = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'];

function withoutMapping(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}

function isLoopbackAddress(address: string): boolean {
  return address === '::1' || /^127\.\d+\.\d+\.\d+$/.test(address);
}

function expand(address: string): string[] {
  const [left = '', right] = address.split('::');
  const head = left === '' ? [] : left.split(':');
  const tail = right === undefined || right === '' ? [] : right.split(':');
  const zeros = Math.max(0, 8 - head.length - tail.length);
  return [...head, ...Array.from({ length: zeros }, () => '0'), ...tail];
}
