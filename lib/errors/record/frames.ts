const MAX_FRAMES = 20;
/** So much is looked through for frames: 20 long ones, and what may stand before them. */
const MAX_LOOK = 16_384;
const FRAME = '\n    at ';

/**
 * The frames of a stack without the message that V8 puts before them, joined by ` | `; undefined
 * if there are none.
 *
 * @param messageLength of the message when the stack was read: it may be 5 MB, and is skipped
 */
export function framesOf(stack: unknown, messageLength: number): string | undefined {
  if (typeof stack !== 'string') return undefined;
  // the message may have been another when the stack was made: then they stand at the beginning
  return framesFrom(stack, messageLength) ?? framesFrom(stack, 0);
}

function framesFrom(stack: string, from: number): string | undefined {
  const part = stack.slice(from, from + MAX_LOOK);
  const first = part.indexOf(FRAME);
  if (first < 0) return undefined;
  const frames = part.slice(first + FRAME.length).split(FRAME, MAX_FRAMES);
  return frames.map((frame) => `at ${frame}`).join(' | ');
}
