/** What a child process tells the one that started it. */
export type Announcement =
  | { readonly type: 'listening'; readonly url: string }
  | { readonly type: 'failed'; readonly problem: string }
  | { readonly type: 'examined'; readonly problems: readonly string[] }
  | {
      readonly type: 'breaker';
      readonly name: string;
      /** Of the breaker of one peer: which. */
      readonly key?: string;
      readonly from: string;
      readonly to: string;
      readonly reason: string;
    };

/** Does nothing in a process that was started by hand. */
export function announce(announcement: Announcement): void {
  if (process.connected) process.send?.(announcement);
}
