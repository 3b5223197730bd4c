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
    let classes = [classOf(component)];
    for (let depth = 0; depth < DEEPEST && classes.length > 0; depth += 1) {
      const given = classes.flatMap((name) => this.givenTo(name)).filter((name) => !seen.has(name));
      for (const name of given) seen.add(name);
      const own = targets.filter((target) => given.includes(classOf(target)));
      for (const target of own) found.add(target);
      const known = new Set(own.map(classOf));
      classes = given.filter((name) => !known.has(name));
    }
    found.delete(component);
    return [...found];
  }

  private givenTo(name: string): readonly string[] {
    this.injected ??= injectedIn(this.modules);
    return [...(this.injected.get(name) ?? [])];
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
  const wrappers = [...modules.values()].flatMap(({ providers, controllers }) => [
    ...providers.values(),
    ...controllers.values(),
  ]);
  for (const wrapper of wrappers) {
    const { name } = wrapper as { name: unknown };
    if (typeof name !== 'string') continue;
    const given = graph.get(name) ?? new Set<string>();
    graph.set(name, given);
    const properties = wrapper.getPropertiesMetadata() ?? [];
    const parts = [...(wrapper.getCtorMetadata() ?? []), ...properties.map((p) => p.wrapper)];
    const names = parts.map((part) => (part as { name?: unknown } | undefined)?.name);
    for (const injected of names) if (typeof injected === 'string') given.add(injected);
  }
  return graph;
}
