import { Inject, Injectable } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { ApplicationRuntime } from '../application-runtime.js';

/** Classes are followed through others that have no target, so deep. */
const DEEPEST = 10;

/** Which targets a target may call, by what is injected into its class. */
@Injectable()
export class InjectionGraph {
  /** The names of what is injected, by class name; made when it is first asked for. */
  private injected: ReadonlyMap<string, ReadonlySet<string>> | undefined;

  constructor(
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
    @Inject(ApplicationRuntime) private readonly runtime: ApplicationRuntime,
  ) {}

  /** The targets of the classes that the target's class is given, or these are given in turn. */
  dependsOn(component: string): readonly string[] {
    const targets = this.runtime.allTargets().map(({ name }) => name);
    const found = new Set<string>();
    const seen = new Set<string>();
    let classes: ReadonlySet<string> = new Set([classOf(component)]);
    for (let depth = 0; depth < DEEPEST && classes.size > 0; depth += 1) {
      const next = new Set<string>();
      for (const name of classes) {
        for (const given of this.givenTo(name)) {
          if (seen.has(given)) continue;
          seen.add(given);
          const own = targets.filter((target) => classOf(target) === given);
          for (const target of own) found.add(target);
          if (own.length === 0) next.add(given);
        }
      }
      classes = next;
    }
    found.delete(component);
    return [...found];
  }

  private givenTo(name: string): ReadonlySet<string> {
    this.injected ??= injectedIn(this.modules);
    return this.injected.get(name) ?? new Set();
  }
}

/** `FeesClient` of `FeesClient.quote`, and of `FeesModule/FeesClient.quote`. */
function classOf(target: string): string {
  const dot = target.lastIndexOf('.');
  const owner = dot < 0 ? target : target.slice(0, dot);
  return owner.slice(owner.lastIndexOf('/') + 1);
}

function injectedIn(modules: ModulesContainer): ReadonlyMap<string, ReadonlySet<string>> {
  const graph = new Map<string, Set<string>>();
  for (const module of modules.values()) {
    for (const wrapper of [...module.providers.values(), ...module.controllers.values()]) {
      const name: unknown = wrapper.name;
      if (typeof name !== 'string') continue;
      const given = graph.get(name) ?? new Set<string>();
      graph.set(name, given);
      const parts = [
        ...(wrapper.getCtorMetadata() ?? []),
        ...(wrapper.getPropertiesMetadata() ?? []).map((property) => property.wrapper),
      ];
      for (const part of parts) {
        const injected: unknown = part?.name;
        if (typeof injected === 'string') given.add(injected);
      }
    }
  }
  return graph;
}
