import { UpstreamAnswerError } from './upstream-answer.error.js';

/** Characters; a quote has some forty. */
const LIMIT = 4_096;

/** The body of an answer, given up as soon as it is longer than any quote: memory is ours, not theirs. */
export async function textOf({ body }: Response, limit = LIMIT): Promise<string> {
  let text = '';
  for await (const part of body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += part;
    if (text.length > limit) throw new UpstreamAnswerError(502, 'an answer without end');
  }
  return text;
}
