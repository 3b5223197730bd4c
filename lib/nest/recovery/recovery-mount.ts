import { Inject, Injectable, type OnApplicationBootstrap, type Type } from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { SafeLogger } from '../safe-logger.js';
import type { ResilienceConfig } from '../config.js';
import { canonical, RouteTable } from '../health/routes.js';
import { CONFIG } from '../tokens.js';
import { OPERATIONS, RECOVERY_CONTROLLER, type RecoveryOperation } from './access/operations.js';
import { RecoveryAccess } from './access/recovery-access.js';
import { recoveryConfigOf } from './recovery.config.js';
import { LEVELS } from './access/secrets.js';

/** Takes the controller away where it may not be, and says where it is. */
@Injectable()
export class RecoveryMount implements OnApplicationBootstrap {
  private readonly logger = new SafeLogger('Bulwark');
  private path: string | undefined;

  constructor(
    private readonly modules: ModulesContainer,
    @Inject(RECOVERY_CONTROLLER) private readonly controller: Type | undefined,
    @Inject(CONFIG) private readonly config: ResilienceConfig,
    private readonly app: ApplicationConfig,
    private readonly host: HttpAdapterHost,
    private readonly access: RecoveryAccess,
  ) {}

  /** Must run when every path is known and no route of a controller is registered yet. */
  settle(): void {
    const { controller } = this;
    const home = [...this.modules.values()].find(({ controllers }) =>
      controllers.has(controller as Type),
    );
    if (home === undefined || controller === undefined) return;
    if (this.config?.recovery === false) {
      home.controllers.delete(controller);
      return;
    }
    const table = new RouteTable(this.modules, this.app);
    const ours = table.routesOf(home, controller, isRoute).map(({ path }) => canonical(path));
    const root = ours.reduce((shortest, path) => (path.length < shortest.length ? path : shortest));
    const others = [...this.modules.values()].flatMap((module) =>
      [...module.controllers.keys()]
        .filter((type) => type !== controller)
        .flatMap((type) => table.routesOf(module, type as Type, isRoute)),
    );
    const taken = others.find(({ path }) => ours.includes(canonical(path)));
    if (taken === undefined) {
      this.path = root;
      return;
    }
    home.controllers.delete(controller);
    this.logger.warn(
      `recovery: not mounted, for the application serves ${taken.path} itself; give it another recovery.path, or say recovery: false`,
    );
  }

  onApplicationBootstrap(): void {
    const { path, access } = this;
    // an application without HTTP has an adapter that knows of none
    if (path === undefined || !this.servesHttp) return;
    if (access.isClosed) {
      this.logger.warn(
        `recovery: ${path} is closed to everybody; give recovery.access guards, tokens or authorize to open it, or say recovery: false`,
      );
      return;
    }
    const operations = Object.keys(OPERATIONS) as RecoveryOperation[];
    const levels = LEVELS.map((level) => {
      const open = operations.filter(
        (operation) => OPERATIONS[operation].level === level && access.isEnabled(operation),
      );
      return `${level} (${open.length === 0 ? 'none' : open.join(', ')})`;
    });
    this.logger.log(`recovery: mounted at ${path}: ${levels.join('; ')}`);
    if (access.freshToken !== undefined)
      this.logger.log(
        `recovery: no access is configured; for this run: Authorization: Bearer ${access.freshToken}`,
      );
    const idle = this.idleGuard;
    if (idle !== undefined)
      this.logger.warn(
        `recovery: ${idle} stands before every route already; if it lets everybody in for the sake of recovery.decorators, as for @Public(), it does so in recovery.access.guards too: give another guard there`,
      );
    if (this.believesProxies)
      this.logger.warn(
        'recovery: loopbackOnly, while the server trusts a proxy: what comes through a proxy is not let in, and one that hides that it is one makes everybody local',
      );
  }

  /** A guard that is asked twice about the same, and can be told by decorators what to say. */
  private get idleGuard(): string | undefined {
    const { access, decorators = [] } = recoveryConfigOf(this.config);
    if (decorators.length === 0 || access === undefined || !('guards' in access)) return undefined;
    const global = [
      ...this.app.getGlobalGuards().map(({ constructor }) => constructor),
      ...this.app.getGlobalRequestGuards().map(({ metatype }) => metatype),
    ];
    return access.guards
      .map((guard) => (typeof guard === 'function' ? guard : guard.constructor))
      .find((guard) => guard !== Object && global.includes(guard))?.name;
  }

  private get servesHttp(): boolean {
    const type: unknown = this.host.httpAdapter?.getType?.();
    return type === 'express' || type === 'fastify';
  }

  private get believesProxies(): boolean {
    if (recoveryConfigOf(this.config).loopbackOnly !== true) return false;
    const server = this.host.httpAdapter.getInstance<{
      get?(name: string): unknown;
      initialConfig?: { trustProxy?: unknown };
    }>();
    const isFastify = this.host.httpAdapter.getType() === 'fastify';
    return Boolean(isFastify ? server.initialConfig?.trustProxy : server.get?.('trust proxy'));
  }
}

function isRoute(handler: object): boolean {
  return Reflect.getMetadata('method', handler) !== undefined;
}
