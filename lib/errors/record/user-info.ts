import { isBlank, type Span } from './secret-value.js';

const WEB = /https?$/i;
/** A colon after which there is no port. */
const BAD_PORT = /^[^:[]*:(?!\d{1,5}(?:\W|$)|\W?$)/;
/** It may be a port, or what was left of a password that begins with digits. */
const CUT_PORT = /^[^:[]*:\d*\.\.\.$/;

/**
 * Finds user and password in the URLs of a text. All of what stands before the `@` is taken: a
 * token may stand where the name of a user should.
 */
export class UserInfo {
  /** Of the run without blanks and quotes that the last URL stands in: read once for all its URLs. */
  private runEnd = 0;
  private lastAt = -1;

  constructor(private readonly text: string) {}

  /**
   * @param colon where `://` was found
   * @param from what is behind it
   */
  after(colon: number, from: number): Span | undefined {
    const { text } = this;
    if (from >= this.runEnd) this.readRun(from);
    let end = from;
    while (end < this.runEnd && !'/?#'.includes(text[end]!)) end += 1;
    const authority = text.slice(from, end);
    const at = authority.lastIndexOf('@');
    const web = WEB.test(text.slice(Math.max(0, colon - 5), colon));
    const cut = end === text.length && CUT_PORT.test(authority);
    // a password may have signs that it should not have; in paths of the web @ means nothing
    let to = web ? from + at : this.lastAt;
    if (at < 0 && (cut || BAD_PORT.test(authority)))
      to = this.lastAt > from ? this.lastAt : this.runEnd;
    return to > from ? { from, to } : undefined;
  }

  private readRun(from: number): void {
    const { text } = this;
    this.lastAt = -1;
    let i = from;
    for (; i < text.length && !isBlank(text[i]!) && !`"'\`<>`.includes(text[i]!); i += 1)
      if (text[i] === '@') this.lastAt = i;
    this.runEnd = i;
  }
}
