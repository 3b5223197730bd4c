/** Where a process runs, as far as another can compare it with itself. */
export interface ProcessIdentity {
  readonly host: string;
  /** Changes at each start of the machine; empty where it is not known. */
  readonly boot: string;
  /** Process numbers mean the same only within one: two containers are both number 1. Empty where there are none. */
  readonly pidNamespace: string;
  readonly pid: number;
  /** Tells a process from a later one with the same number; empty where it is not known. */
  readonly started: string;
}

/** What the owner of a directory is told by, as a port. */
export interface Machine {
  readonly self: ProcessIdentity;
  /**
   * The start mark of a running process of this machine and namespace, empty where there is none;
   * undefined if no process has that number.
   */
  startOf(pid: number): string | undefined;
  /** Milliseconds that this machine has been running, the same reading for all its processes. */
  uptime(): number;
}
