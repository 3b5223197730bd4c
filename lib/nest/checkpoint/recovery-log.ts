import type { Logger } from '@nestjs/common';
import type { OpenReport } from '../../checkpoint/checkpoint-store.js';

/** Says what was not as it should be when the store was opened, and what was made of it. */
export function logRecovery(
  { skipped, tailTruncatedBytes, findings }: OpenReport,
  logger: Logger,
): void {
  for (const { file, reason } of skipped)
    logger.warn(
      `checkpoint: ${file} is not used (${reason}); an older one and the journal stand in for it`,
    );
  if (tailTruncatedBytes > 0)
    logger.log(
      `checkpoint: cut ${tailTruncatedBytes} bytes off the journal, of a write that a crash interrupted`,
    );
  for (const { level, file, problem } of findings)
    logger.warn(`checkpoint: ${level} in ${file}: ${problem}`);
}
