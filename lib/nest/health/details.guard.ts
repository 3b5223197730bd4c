import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import type { ResilienceConfig } from '../config.js';
import { RecoveryAccess } from '../recovery/access/recovery-access.js';
import { CONFIG } from '../tokens.js';
import { DetailsReaders } from './details-readers.js';

/** Lets everybody in, and notes who may see more than a status. */
@Injectable()
export class DetailsGuard implements CanActivate {
  private readonly isAsked: boolean;

  constructor(
    @Inject(RecoveryAccess) private readonly access: RecoveryAccess,
    @Inject(DetailsReaders) private readonly readers: DetailsReaders,
    @Inject(CONFIG) config: ResilienceConfig | undefined,
  ) {
    const health = config?.health;
    this.isAsked = typeof health === 'object' && health.details === 'authorized';
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (this.isAsked && (await this.access.maySee(context)))
      this.readers.add(context.switchToHttp().getRequest<object>());
    return true;
  }
}
