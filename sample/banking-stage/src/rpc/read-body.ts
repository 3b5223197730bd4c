import type { IncomingMessage } from 'node:http';
import { RpcError } from './rpc.error.js';

/** Bytes; the largest transaction has some 500. */
export const BODY_LIMIT = 64 * 1024;

/** The text that was posted; all that can be wrong with it before it is parsed is refused here. */
export async function readBody(request: IncomingMessage): Promise<string> {
  if (request.method !== 'POST') throw refused(405, 'requests must be sent by POST');
  refuseOtherTypes(request.headers['content-type'] ?? '');
  const { 'content-encoding': encoding = 'identity' } = request.headers;
  if (encoding !== 'identity') throw refused(415, 'the body must not be compressed');
  const body = await bytesOf(request);
  try {
    // Not toString: it would quietly put something else in the place of what is not UTF-8.
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw new RpcError('parse-error', 'the body is not UTF-8');
  }
}

/**
 * JSON only. A web page can have its visitor's browser post text to this machine without asking
 * anyone, but not JSON.
 */
function refuseOtherTypes(contentType: string): void {
  const [type = '', ...parameters] = contentType.toLowerCase().split(';');
  const charset = parameters.map((one) => one.trim()).find((one) => one.startsWith('charset='));
  const utf8 = charset === undefined || /^charset="?utf-8"?$/.test(charset);
  if (type.trim() !== 'application/json' || !utf8) {
    throw refused(415, 'the content type must be application/json, in UTF-8');
  }
}

export function bytesOf(request: IncomingMessage, limit = BODY_LIMIT): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) {
        chunks.push(chunk);
        return;
      }
      // The rest is read and dropped: a client that is cut off in mid-sentence hears no answer.
      chunks = [];
      reject(refused(413, `the body must not have more than ${limit} bytes`));
    });
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('error', () => reject(refused(400, 'the body broke off')));
  });
}

function refused(httpStatus: number, problem: string): RpcError {
  return new RpcError('invalid-request', problem, {}, httpStatus);
}
