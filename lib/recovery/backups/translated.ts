import { CheckpointError } from '../../checkpoint/checkpoint.error.js';
import { RecoveryError, type RecoveryErrorCode } from '../recovery.error.js';

const MEANS: Partial<Record<CheckpointError['code'], readonly [RecoveryErrorCode, string]>> = {
  CHECKPOINT_NAME: ['RECOVERY_NAME', 'that name may not be one'],
  CHECKPOINT_UNKNOWN: ['RECOVERY_UNKNOWN', 'there is none of that name'],
  CHECKPOINT_EXISTS: ['RECOVERY_EXISTS', 'there is one of that name already'],
  CHECKPOINT_QUOTA: ['RECOVERY_QUOTA', 'there is not enough room: remove backups, or allow more'],
  CHECKPOINT_DAMAGED: ['RECOVERY_BAD_BACKUP', 'it is damaged'],
  CHECKPOINT_VERSION: ['RECOVERY_BAD_BACKUP', 'it was written by newer or other code'],
  CHECKPOINT_KEY: ['RECOVERY_BAD_BACKUP', 'it was written with another key'],
};

/** Does something with a backup; what the store refuses is said in words that may be shown. */
export async function withBackup<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const [code, why] = (error instanceof CheckpointError && MEANS[error.code]) || [];
    if (code === undefined) throw error;
    throw new RecoveryError(code, `backup "${name}": ${why}`, { cause: error });
  }
}
