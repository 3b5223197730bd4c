import { Injectable } from '@nestjs/common';
import { BankingStage } from './banking-stage.js';
import type { Receipt } from './banking-stage.js';

/** How a client's transaction becomes a receipt: here, as soon as it is on disk. */
@Injectable()
export class Submissions {
  constructor(protected readonly banking: BankingStage) {}

  submit(sent: unknown): Promise<Receipt> {
    return this.banking.submit(sent);
  }
}
