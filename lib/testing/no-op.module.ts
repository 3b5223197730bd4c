import { type DynamicModule, Module } from '@nestjs/common';
import { ResilienceConfigError } from '../kernel/check.js';
import { ResilienceModule } from '../nest/resilience.module.js';

/**
 * The module with every policy but `@Fallback` passed through and nothing mounted: for tests of an
 * application that are not about resilience.
 */
@Module({})
export class NoOpResilienceModule {
  /** Nest makes only a bare import of it, which would provide nothing. */
  constructor() {
    const problem = 'imported bare; expected NoOpResilienceModule.forRoot()';
    throw new ResilienceConfigError([{ at: 'NoOpResilienceModule', problem }]);
  }

  static forRoot(): DynamicModule {
    return ResilienceModule.forRoot({
      enabled: false,
      health: false,
      recovery: false,
      lint: false,
    });
  }
}
