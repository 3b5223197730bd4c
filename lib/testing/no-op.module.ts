import type { DynamicModule } from '@nestjs/common';
import { ResilienceModule } from '../nest/resilience.module.js';

/**
 * The module with every policy but `@Fallback` passed through and nothing mounted: for tests of an
 * application that are not about resilience.
 */
export class NoOpResilienceModule {
  static forRoot(): DynamicModule {
    return ResilienceModule.forRoot({ enabled: false, health: false });
  }
}
