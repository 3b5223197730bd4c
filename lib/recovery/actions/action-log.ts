import type { RecoveryAction } from '../recovery-report.js';

/** An action as it is noted. */
export type ActionEntry = Omit<RecoveryAction, 'id' | 'at' | 'by'> & { readonly by?: string };

/** The last actions, on disk where there is one. */
export interface ActionLog {
  record(entry: ActionEntry): RecoveryAction;
  /** Newest first. */
  list(limit: number): readonly RecoveryAction[];
}
