import { Injectable } from '@nestjs/common';
import { IntegrityCheck } from 'nestjs-bulwark';
import { Chain } from '../chain/chain.js';
import { certificateProblem } from '../consensus/certificate.js';
import { Members } from './members.js';

/** Each block but the first must be one that a majority voted for: so not even this node's disk can make one up. */
@Injectable()
export class CertificatesCheck {
  constructor(
    private readonly members: Members,
    private readonly chain: Chain,
  ) {}

  @IntegrityCheck('certificates')
  *certificates(): Generator<{ at: string; problem: string } | undefined> {
    for (const [height, block] of this.chain.allBlocks().entries()) {
      const problem = height === 0 ? undefined : this.problemAt(height, block?.hash);
      yield problem === undefined ? undefined : { at: `block ${height}`, problem };
    }
  }

  private problemAt(height: number, hash: unknown): string | undefined {
    const certificate = this.chain.certificateAt(height);
    const problem = certificateProblem(certificate, this.members.addresses);
    if (problem !== undefined || certificate === undefined) return problem;
    return certificate.hash === hash && certificate.height === height
      ? undefined
      : 'its certificate is of another block';
  }
}
