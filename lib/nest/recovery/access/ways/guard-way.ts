import type { CanActivate, ExecutionContext, Type } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import { isObservable, lastValueFrom } from 'rxjs';
import { factsOf, headline } from '../../../../errors/record/facts.js';
import { type Mistake, show } from '../../../../kernel/check.js';
import type { AtRoute } from '../at-route.js';
import { HostWay } from './host-way.js';

/** Whoever all guards of the application let in. */
export class GuardWay extends HostWay {
  private found: readonly CanActivate[] = [];

  constructor(
    atRoute: AtRoute,
    private readonly guards: readonly (Type<CanActivate> | CanActivate)[],
    private readonly modules: ModuleRef,
  ) {
    super(atRoute, 'a guard of recovery.access');
  }

  /** Finds them; answers those that cannot be found, for the boot to fail. */
  async resolve(): Promise<Mistake[]> {
    const mistakes: Mistake[] = [];
    const found: CanActivate[] = [];
    for (const guard of this.guards) {
      try {
        found.push(typeof guard === 'function' ? await this.instanceOf(guard) : guard);
      } catch (error) {
        const problem = `cannot be resolved: ${headline(factsOf(error))}`;
        mistakes.push({ at: `ResilienceModule recovery access guards ${show(guard)}`, problem });
      }
    }
    this.found = found;
    return mistakes;
  }

  protected override async ask(context: ExecutionContext): Promise<unknown> {
    for (const guard of this.found) {
      const given: unknown = await guard.canActivate(context);
      const answer = isObservable(given) ? await lastValueFrom(given) : given;
      if (answer !== true) return false;
    }
    return this.found.length > 0;
  }

  private async instanceOf(guard: Type<CanActivate>): Promise<CanActivate> {
    try {
      return this.modules.get(guard, { strict: false });
    } catch {
      return this.modules.create(guard); // one that no module provides
    }
  }
}
