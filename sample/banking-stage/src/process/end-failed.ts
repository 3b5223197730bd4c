import { announce } from './announcement.js';

/** Says what went wrong to whoever started this process, and to who reads its output, and lets it end. */
export function endFailed(error: unknown): void {
  const problem = error instanceof Error ? error.message : String(error);
  announce({ type: 'failed', problem });
  console.error(problem);
  process.exitCode = 1;
  if (process.connected) process.disconnect();
}
