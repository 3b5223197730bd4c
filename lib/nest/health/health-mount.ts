import { Inject, Injectable, type Type } from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { SafeLogger } from '../safe-logger.js';
import type { ResilienceConfig } from '../config.js';
import { CONFIG } from '../tokens.js';
import { RawRoutes } from './raw-routes.js';
import { canonical, type Route, RouteTable } from './routes.js';

/** The controllers that this registration mounted. */
export const MOUNTED = Symbol('bulwark:mounted');

/** A route of the application, and whether Nest registers it before ours. */
interface HostRoute extends Route {
  readonly earlier: boolean;
}

/**
 * Takes those of our endpoints out of the application that it serves itself: its own win, and a
 * second handler for one route would not start on Fastify.
 */
@Injectable()
export class HealthMount {
  private readonly logger = new SafeLogger('Bulwark');
  private readonly table: RouteTable;

  constructor(
    private readonly modules: ModulesContainer,
    @Inject(MOUNTED) private readonly mounted: readonly Type[],
    @Inject(CONFIG) private readonly config: ResilienceConfig,
    private readonly app: ApplicationConfig,
    private readonly host: HttpAdapterHost,
  ) {
    this.table = new RouteTable(modules, app);
  }

  /** Must run when every path is known and no route of a controller is registered yet. */
  settle(): void {
    const home = [...this.modules.values()].find(({ controllers }) =>
      this.mounted.some((ours) => controllers.has(ours)),
    );
    if (home === undefined) return;
    const raw = new RawRoutes(this.host.httpAdapter);
    const routes = this.hostRoutes(home);
    const taken: string[] = [];
    for (const ours of this.mounted) {
      const { path } = this.table.routesOf(home, ours)[0]!;
      if (this.config?.health === false) {
        home.controllers.delete(ours);
      } else if (raw.has(path) || routes.some((route) => collide(route, path, raw))) {
        home.controllers.delete(ours);
        taken.push(path);
      } else {
        this.warnOfShadow(path, routes, raw);
      }
    }
    if (taken.length > 0)
      this.logger.log(`${taken.join(', ')}: served by the application itself, not by Bulwark`);
  }

  private hostRoutes(home: unknown): HostRoute[] {
    let earlier = true;
    return [...this.modules.values()].flatMap((module) => {
      if (module === home) {
        earlier = false;
        return [];
      }
      return [...module.controllers.keys()]
        .filter((controller) => typeof controller === 'function')
        .flatMap((controller) => this.table.routesOf(module, controller as Type))
        .map((route) => ({ ...route, earlier }));
    });
  }

  private warnOfShadow(path: string, routes: readonly HostRoute[], raw: RawRoutes): void {
    if (!raw.firstWins) return;
    const { getRouteResolutionStrategy } = this.app as { getRouteResolutionStrategy?(): unknown };
    const sorted = getRouteResolutionStrategy?.call(this.app) === 'specificity';
    const before = sorted
      ? []
      : routes.filter((route) => route.earlier && !route.versioned && !route.ofHost);
    const pattern =
      raw.patternFor(path) ?? before.find((route) => patternOf(route.path).test(path))?.path;
    if (pattern === undefined) return;
    this.logger.warn(
      `${path} of Bulwark is never reached: ${pattern}, registered before it, matches it too; import ResilienceModule before the module of that route, or serve ${path} yourself`,
    );
  }
}

/** Whether the router would refuse our route beside the other one, or hide the other one behind ours. */
function collide(
  route: HostRoute,
  ours: string,
  { firstWins, caseSensitive }: Pick<RawRoutes, 'firstWins' | 'caseSensitive'>,
): boolean {
  // on Fastify an optional last parameter makes two routes, one without it
  const paths = [route.path, route.path.replace(/\/:\w+\?$/, '')];
  const isOurs = (path: string): boolean =>
    canonical(path, caseSensitive) === canonical(ours, caseSensitive);
  if (!paths.some(isOurs)) return false;
  // Fastify tells versions apart, but not hosts
  if (route.ofHost ? firstWins : route.versioned) return firstWins && !route.earlier;
  return true;
}

/** What a path with parameters, wildcards and optional parts matches. */
function patternOf(path: string): RegExp {
  const source = path
    .replaceAll(/[.+?^$|[\]\\]/g, '\\$&')
    .replaceAll('{', '(?:')
    .replaceAll('}', ')?')
    .replaceAll(/\*\w*/g, '.+')
    .replaceAll(/:\w+/g, '[^/]+');
  try {
    return new RegExp(`^${source}/?$`, 'i');
  } catch {
    return /$^/; // a pattern of another kind: no warning rather than no boot
  }
}
