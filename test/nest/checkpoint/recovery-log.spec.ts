import { Logger } from '@nestjs/common';
import { logRecovery } from '../../../lib/nest/checkpoint/recovery-log.js';

const SOUND = { tailTruncatedBytes: 0, skipped: [], removed: [], weakened: false, findings: [] };

describe('what is said of a store at the start', () => {
  const said: string[] = [];
  const logger = {
    log: (line: string) => said.push(`log ${line}`),
    warn: (line: string) => said.push(`warn ${line}`),
  } as unknown as Logger;

  beforeEach(() => said.splice(0));

  it('is nothing, where it is sound', () => {
    logRecovery(SOUND, logger);

    expect(said).toEqual([]);
  });

  it('is each saved state that was skipped, the end that was cut, and what is odd about the place', () => {
    logRecovery(
      {
        ...SOUND,
        tailTruncatedBytes: 17,
        skipped: [{ file: 's-2', reason: 'its bytes have changed' }],
        findings: [{ level: 'warning', file: '/data', problem: 'others may enter' }],
      },
      logger,
    );

    expect(said).toEqual([
      'warn checkpoint: s-2 is not used (its bytes have changed); an older one and the journal stand in for it',
      'log checkpoint: cut 17 bytes off the journal, of a write that a crash interrupted',
      'warn checkpoint: warning in /data: others may enter',
    ]);
  });
});
