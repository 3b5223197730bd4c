import type { AbstractHttpAdapter } from '@nestjs/core';
import { canonical } from './routes.js';

/** What Express keeps of one route; `app.use` leaves layers without a route. */
interface Layer {
  readonly route?: {
    readonly path: unknown;
    readonly methods: { readonly get?: boolean; readonly _all?: boolean };
  };
  match(path: string): boolean;
}

interface Instance {
  hasRoute?(route: { method: string; url: string }): boolean;
  readonly router?: { readonly stack?: readonly Layer[] };
  readonly initialConfig?: RouterConfig & { readonly routerOptions?: RouterConfig };
}

/** What Fastify was made with. */
interface RouterConfig {
  readonly caseSensitive?: boolean;
}

/** The routes that are on the server behind Nest's back: by its own methods, or in a plugin. */
export class RawRoutes {
  private readonly instance: Instance;
  private readonly layers: readonly Layer[];
  /** Whether, of two routes that match, the first one registered answers, and not the nearer one. */
  readonly firstWins: boolean;
  /** Whether `/Health` is another path than `/health`. */
  readonly caseSensitive: boolean;

  constructor(adapter: AbstractHttpAdapter | undefined) {
    this.instance = (adapter?.getInstance?.() ?? {}) as Instance;
    this.firstWins =
      (adapter as { isRouteOrderSensitive?(): boolean } | undefined)?.isRouteOrderSensitive?.() ??
      typeof this.instance.hasRoute !== 'function';
    const { caseSensitive, routerOptions } = this.instance.initialConfig ?? {};
    this.caseSensitive =
      !this.firstWins && (routerOptions?.caseSensitive ?? caseSensitive ?? true) !== false;
    const stack = this.firstWins ? (this.instance.router?.stack ?? []) : [];
    this.layers = stack.filter(
      ({ route }) => route?.methods.get === true || route?.methods._all === true,
    );
  }

  /** Whether a GET of that very path is registered. */
  has(path: string): boolean {
    if (this.instance.hasRoute?.({ method: 'GET', url: path }) === true) return true;
    return this.layers.some(({ route }) =>
      pathsOf(route).some((p) => canonical(p) === canonical(path)),
    );
  }

  /** The pattern of a registered route that matches the path. */
  patternFor(path: string): string | undefined {
    const layer = this.layers.find((candidate) => candidate.match(path));
    return layer && String(layer.route!.path);
  }
}

function pathsOf(route: Layer['route']): string[] {
  return [route?.path].flat().filter((path) => typeof path === 'string');
}
