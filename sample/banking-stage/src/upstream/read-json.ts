import type { IncomingMessage } from 'node:http';

const BODY_LIMIT = 64 * 1024;

/** `undefined` for what is not JSON: the routes say what they wanted instead. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk;
    if (text.length > BODY_LIMIT) throw new Error('too large');
  }
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
