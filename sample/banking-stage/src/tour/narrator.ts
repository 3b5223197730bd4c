const started = performance.now();

/** One line of the story, with the seconds since it began. */
export function say(line: string): void {
  const elapsed = ((performance.now() - started) / 1_000).toFixed(1);
  console.log(`${elapsed.padStart(6)} s  ${line}`);
}

export function chapter(title: string): void {
  console.log();
  say(`== ${title}`);
}
