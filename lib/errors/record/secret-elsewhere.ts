import { isSecretName, type Span, secretName, valueAfter } from './secret-value.js';

/** So far it is looked for the end of a tag, and of a user. */
const MAX_LOOK = 512;
const ELEMENT = /<[\w:.-]{1,64}/y;
const ENCODED = /%3(?:d|a(?<slashes>%2f%2f)?)/iy;
const END_OF_URL = /[\s"'`<>]/;

/** The text of an XML element with the name of a secret: `<wsse:Password>`. */
export function elementAt(text: string, at: number): Span | undefined {
  ELEMENT.lastIndex = at;
  const name = ELEMENT.exec(text)?.[0];
  if (name === undefined || !isSecretName(name)) return undefined;
  const inTag = text.slice(at, at + MAX_LOOK).search(/>[^<]/);
  if (inTag < 0) return undefined;
  const from = at + inTag + 1;
  const close = text.indexOf('<', from);
  return { from, to: close < 0 ? text.length : close };
}

/** What stands behind `=`, `:` or `://` in a URL within a URL: `%3D`, `%3A`, `%3A%2F%2F`. */
export function encodedAt(text: string, at: number, done: number): Span | undefined {
  ENCODED.lastIndex = at;
  const found = ENCODED.exec(text);
  if (found === null) return undefined;
  if (found.groups?.['slashes'] === undefined) {
    const name = secretName(text, at, done);
    return name === undefined ? undefined : valueAfter(text, at + 2, name);
  }
  const from = ENCODED.lastIndex;
  const rest = text.slice(from, from + MAX_LOOK);
  const url = rest.slice(0, rest.search(END_OF_URL) >>> 0);
  const user = url.lastIndexOf('%40');
  return user > 0 ? { from, to: from + user } : undefined;
}
