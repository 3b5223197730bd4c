/** Nobody waits for this any more; if it is a promise that rejects, that must not end the process. */
export function ignore(result: unknown): void {
  void Promise.resolve(result).catch(() => {});
}
