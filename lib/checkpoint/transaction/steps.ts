/** What is to be done once the step that made it possible is complete. */
interface Next {
  goOn(): void;
}

let isRunning = false;
let waiting: Next[] = [];
const settled = Promise.resolve();

/**
 * Does something soon, and not inside of what is being done: a call whose turn has come begins when the
 * one before it has ended altogether. Never more than one is on the stack, however many fail at once.
 */
export function soon(next: Next): void {
  waiting.push(next);
  if (!isRunning && waiting.length === 1) void settled.then(goOn);
}

/** Runs a step of a call, and then what became possible by it. */
export function asOneStep<T, V>(call: T, step: (this: T, value: V) => void, value: V): void;
export function asOneStep<T>(call: T, step: (this: T) => void): void;
export function asOneStep<T>(
  call: T,
  step: (this: T, value?: unknown) => void,
  value?: unknown,
): void {
  if (isRunning) return step.call(call, value);
  isRunning = true;
  try {
    step.call(call, value);
  } finally {
    isRunning = false;
    goOn();
  }
}

function goOn(): void {
  if (waiting.length === 0 || isRunning) return;
  isRunning = true;
  try {
    for (let i = 0; i < waiting.length; i += 1) waiting[i]!.goOn();
  } finally {
    waiting = [];
    isRunning = false;
  }
}
