import type { Mistake } from '../../kernel/check.js';
import type { RecoveryHooks, ShutdownHook } from '../../recovery/hooks.js';

/** What is wrong with the hooks of an application among each other. Of two that collide the later is blamed. */
export function checkHooks({ checks, reconnects, resyncs, shutdowns }: RecoveryHooks): Mistake[] {
  return [
    ...twice('@IntegrityCheck', checks),
    ...twice('@Reconnect', reconnects),
    ...twice('@OnShutdown', shutdowns),
    ...resyncs
      .filter(({ name }) => !reconnects.some((one) => one.name === name))
      .map(({ name, from }) => ({
        at: `${from} @Resync name`,
        problem: `got ${quoted(name)}, expected the name of a @Reconnect${known(reconnects)}`,
      })),
    ...unknownDependencies(shutdowns),
    ...circles(shutdowns),
  ];
}

interface Named {
  readonly name: string;
  readonly from: string;
}

function twice(decorator: string, hooks: readonly Named[]): Mistake[] {
  const first = new Map<string, string>();
  return hooks.flatMap(({ name, from }) => {
    const other = first.get(name);
    if (other === undefined) {
      first.set(name, from);
      return [];
    }
    const problem = `got ${quoted(name)}, which ${other} has already, expected a name of its own`;
    return [{ at: `${from} ${decorator} name`, problem }];
  });
}

function unknownDependencies(shutdowns: readonly ShutdownHook[]): Mistake[] {
  return shutdowns.flatMap(({ from, dependsOn }) =>
    dependsOn
      .filter((name) => !shutdowns.some((one) => one.name === name))
      .map((name) => ({
        at: `${from} @OnShutdown dependsOn`,
        problem: `got ${quoted(name)}, expected the name of an @OnShutdown${known(shutdowns)}`,
      })),
  );
}

/** Each circle once, at the hook of it that is found first. */
function circles(shutdowns: readonly ShutdownHook[]): Mistake[] {
  const byName = new Map(shutdowns.map((hook) => [hook.name, hook]));
  const done = new Set<ShutdownHook>();
  const mistakes: Mistake[] = [];
  const follow = (hook: ShutdownHook, path: readonly ShutdownHook[]): void => {
    const start = path.indexOf(hook);
    if (start >= 0) {
      const way = [...path.slice(start), hook].map(({ name }) => quoted(name)).join(' > ');
      const problem = `goes round in a circle, ${way}; expected an order in which to end`;
      mistakes.push({ at: `${hook.from} @OnShutdown dependsOn`, problem });
      return;
    }
    if (done.has(hook)) return;
    for (const name of hook.dependsOn) {
      const next = byName.get(name);
      if (next !== undefined) follow(next, [...path, hook]);
    }
    done.add(hook);
  };
  for (const hook of shutdowns) follow(hook, []);
  return mistakes;
}

function known(hooks: readonly Named[]): string {
  if (hooks.length === 0) return '; there is none';
  return `; known are ${hooks.map(({ name }) => quoted(name)).join(', ')}`;
}

const quoted = (name: string): string => JSON.stringify(name);
