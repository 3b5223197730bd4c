import { RequestMethod, type Type, VERSION_NEUTRAL, VersioningType } from '@nestjs/common';
import { type ApplicationConfig, MetadataScanner, type ModulesContainer } from '@nestjs/core';

type Module = ModulesContainer extends Map<string, infer M> ? M : never;

/** A GET as the router will know it. */
export interface Route {
  /** With everything that goes before it: prefix, version, module, controller. */
  readonly path: string;
  /** It answers requests for certain versions only, which the path does not show. */
  readonly versioned: boolean;
  /** It answers requests to certain hosts only, and passes the others on where the router can. */
  readonly ofHost: boolean;
}

/** The routes of an application before Nest registers them. */
export class RouteTable {
  private readonly scanner = new MetadataScanner();

  constructor(
    private readonly modules: ModulesContainer,
    private readonly config: ApplicationConfig,
  ) {}

  /** Every GET that a controller answers, or everything that is wanted. */
  routesOf(
    module: Module,
    controller: Type,
    isWanted: (handler: object) => boolean = answersGet,
  ): Route[] {
    const prototype = controller.prototype as Record<string, object>;
    const ofHost = Reflect.getMetadata('host', controller) !== undefined;
    return this.scanner
      .getAllMethodNames(prototype)
      .map((name) => prototype[name]!)
      .filter((handler) => isWanted(handler))
      .flatMap((handler) => {
        const paths = product(
          this.pathsOf(module),
          list(Reflect.getMetadata('path', controller)),
          list(Reflect.getMetadata('path', handler)),
        );
        return this.versionsOf(controller, handler).flatMap((version) =>
          paths.map((path) => ({ ...this.route(path, version, handler), ofHost })),
        );
      });
  }

  private route(path: string, version: unknown, handler: object): Omit<Route, 'ofHost'> {
    const versioning = this.config.getVersioning();
    const neutral = version === undefined || version === VERSION_NEUTRAL;
    const inPath = versioning?.type === VersioningType.URI;
    const prefix = this.isExcluded(path, handler) ? '' : this.config.getGlobalPrefix();
    const versionPrefix =
      inPath && !neutral
        ? `${versioning.prefix === false ? '' : (versioning.prefix ?? 'v')}${String(version)}`
        : '';
    return { path: join(prefix, versionPrefix, path), versioned: !neutral && !inPath };
  }

  /** Without versioning, what a controller says of versions means nothing. */
  private versionsOf(controller: Type, handler: object): unknown[] {
    const versioning = this.config.getVersioning();
    if (versioning === undefined) return [undefined];
    const version: unknown =
      Reflect.getMetadata('__version__', handler) ??
      Reflect.getMetadata('__version__', controller) ??
      versioning.defaultVersion;
    return Array.isArray(version) ? version : [version];
  }

  /** Whether the global prefix makes an exception of a path. */
  private isExcluded(path: string, handler: object): boolean {
    const { exclude = [] } = this.config.getGlobalPrefixOptions();
    const method = methodOf(handler);
    return exclude.some(
      ({ pathRegex, requestMethod }) =>
        (requestMethod === RequestMethod.ALL || requestMethod === method) && pathRegex.test(path),
    );
  }

  /** What `RouterModule` puts before the paths of a module. */
  private pathsOf({ metatype }: Module): string[] {
    const { applicationId = '' } = this.modules as { applicationId?: string };
    return list(Reflect.getMetadata(`__module_path__${applicationId}`, metatype) ?? '');
  }
}

/** A form in which two paths are equal if a request can mean both. */
export function canonical(path: string, caseSensitive = false): string {
  return caseSensitive ? join(path) : join(path).toLowerCase();
}

function answersGet(handler: object): boolean {
  const method = methodOf(handler);
  return method === RequestMethod.GET || method === RequestMethod.ALL;
}

function methodOf(handler: object): unknown {
  return Reflect.getMetadata('method', handler);
}

function list(metadata: unknown): string[] {
  return [metadata].flat().filter((path) => typeof path === 'string');
}

function product(...parts: string[][]): string[] {
  return parts.reduce((paths, next) => paths.flatMap((p) => next.map((n) => join(p, n))), ['']);
}

function join(...parts: string[]): string {
  const segments = parts.flatMap((part) => part.split('/')).filter((segment) => segment !== '');
  return `/${segments.join('/')}`;
}
