import { isResilienceRejection } from './rejection.js';

/** The word of the error that a call gets which was carried out, and is perhaps kept, perhaps not. */
export const COMMIT_UNKNOWN = 'COMMIT_UNKNOWN';

/** Whether nobody may repeat the call, or answer in its place: its caller has to look. */
export function isCommitUnknown(error: unknown): boolean {
  return isResilienceRejection(error) && error.code === COMMIT_UNKNOWN;
}
