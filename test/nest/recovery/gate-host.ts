import { request as httpRequest, type OutgoingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type INestApplication, Injectable } from '@nestjs/common';
import { Bulkhead, CircuitBreaker, type RecoveryConfig, RecoveryManager } from 'nestjs-bulwark';
import { ADAPTERS, serve, type Setting, type World } from '../support/app.js';

export const READ = 'Read-4f9c2b7e1a6d3f8054c7b9e2a1Qx';
export const OPERATE = 'Operate-93b1f7c2e8a4d6051b3f7c9e';
export const DANGER = 'Danger-c2e8a4d6051b3f7c9e93b1f7d';

export const TOKENS = { read: READ, operate: OPERATE, danger: DANGER } as const;
export const EVERYTHING: RecoveryConfig = {
  access: { tokens: TOKENS },
  danger: ['restore', 'fix', 'shutdown', 'delete'],
  audit: () => {},
};

export interface Call {
  readonly method: string;
  readonly args: readonly unknown[];
}

/** A recovery manager that does nothing and remembers what it was asked for. */
export class FakeManager {
  readonly calls: Call[] = [];
  isAttached = true;
  isShuttingDown = false;
  connections: readonly string[] = ['peers', 'upstream'];
  /** What a method does instead of answering at once. */
  readonly instead = new Map<string, (...args: never[]) => unknown>();

  getRecoveryStatus = this.answer('getRecoveryStatus', () => ({
    state: 'healthy',
    recoveryInProgress: false,
    reasons: [],
    health: { status: 'healthy', score: 95 },
    circuitBreakers: { mining: 'closed', validation: 'half-open' },
    backupsAvailable: 10,
    partitions: [],
    isShuttingDown: false,
  }));
  listBackups = this.answer('listBackups', () => [BACKUP]);
  createCheckpoint = this.answer('createCheckpoint', (name?: unknown) => ({
    ...BACKUP,
    name: name ?? 'manual-1',
    path: `data/backups/${String(name ?? 'manual-1')}`,
  }));
  restoreBackup = this.answer('restoreBackup', (_name, request) => ({
    isDryRun: (request as { dryRun?: boolean }).dryRun === true,
    backup: BACKUP,
    components: ['ledger'],
    lostCalls: 0,
    issues: [],
  }));
  removeBackup = this.answer('removeBackup', () => undefined);
  cleanupOldBackups = this.answer('cleanupOldBackups', () => ['old-1', 'old-2']);
  restoreDrill = this.answer('restoreDrill', () => ({
    backup: BACKUP.name,
    passed: true,
    issues: [],
    duration: 12.4,
  }));
  checkCorruption = this.answer('checkCorruption', () => ({
    isCorrupted: false,
    issues: [],
    issueCount: 0,
    warnings: [],
    checks: ['hashes'],
    duration: 3,
  }));
  handleCorruption = this.answer('handleCorruption', (_force, request) => ({
    isDryRun: (request as { dryRun?: boolean }).dryRun === true,
    result: 'fixed',
    message: 'mended from backup_1234567890.json',
    issues: [],
    replayedCalls: 3,
    lostCalls: 0,
    handedBack: {},
    steps: [],
  }));
  handleNetworkPartition = this.answer('handleNetworkPartition', () => ({
    reconnected: true,
    connections: [{ name: 'peers', outcome: 'connected', attempts: 1 }],
    isDegraded: false,
  }));
  gracefulShutdown = this.answer('gracefulShutdown', () => undefined);

  actions(limit: number): unknown[] {
    this.calls.push({ method: 'actions', args: [limit] });
    return [
      {
        id: 7,
        at: 1_234_567_890_123,
        type: 'corruption_recovery',
        status: 'success',
        details: 'Restored from backup: backup_1234567890.json',
        by: 'code',
      },
    ];
  }

  noteAction(entry: unknown): void {
    this.calls.push({ method: 'noteAction', args: [entry] });
  }

  of(method: string): Call[] {
    return this.calls.filter((call) => call.method === method);
  }

  /** Whatever changed something. */
  get deeds(): Call[] {
    const looks = ['getRecoveryStatus', 'listBackups', 'actions'];
    return this.calls.filter(({ method }) => !looks.includes(method));
  }

  private answer(
    method: string,
    usually: (...args: unknown[]) => unknown,
  ): (...args: unknown[]) => Promise<unknown> {
    return async (...args) => {
      this.calls.push({ method, args });
      const instead = this.instead.get(method);
      return instead === undefined ? usually(...args) : instead(...(args as never[]));
    };
  }
}

export const BACKUP = {
  name: 'backup_1234567890.json',
  kind: 'named',
  path: 'data/backups/backup_1234567890.json',
  createdAt: 1_234_567_890_500,
  size: 1_024_000,
  verified: true,
  summary: { chain_height: 1_000 },
};

@Injectable()
export class Mining {
  @CircuitBreaker({ name: 'mining', failureThreshold: 1, openJitter: 0 })
  async mine(fail = false): Promise<string> {
    if (fail) throw new Error('Block validation failed');
    return 'mined';
  }

  @CircuitBreaker({ name: 'keyed', failureThreshold: 1, key: (peer: string) => peer })
  async ask(_peer: string): Promise<string> {
    return 'answer';
  }

  @Bulkhead({ name: 'pool', maxConcurrent: 1 })
  async pool(): Promise<void> {}
}

export interface Reply {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
  readonly json: Record<string, unknown>;
}

export interface Ask {
  readonly method?: string;
  readonly path: string;
  readonly token?: string | undefined;
  readonly headers?: OutgoingHttpHeaders | string[];
  readonly body?: unknown;
  /** Sent as it is. */
  readonly raw?: string;
}

export interface GateWorld extends World {
  readonly manager: FakeManager;
  ask(ask: Ask): Promise<Reply>;
  post(path: string, body?: unknown, token?: string): Promise<Reply>;
  look(path: string, token?: string): Promise<Reply>;
}

type Adapter = (typeof ADAPTERS)[number][1];

/** An application with a recovery controller over a manager that only remembers. */
export async function gate(
  adapter: Adapter,
  recovery: RecoveryConfig | undefined,
  { bulwark, build, imports = [], ...setting }: Setting = {},
): Promise<GateWorld> {
  const manager = new FakeManager();
  const world = await serve(adapter, {
    providers: [Mining],
    ...setting,
    imports,
    bulwark: bulwark ?? { health: false, recovery },
    build: (builder) => {
      const fake = builder.overrideProvider(RecoveryManager).useValue(manager);
      return build === undefined ? fake : build(fake);
    },
  });
  const ask = (asked: Ask): Promise<Reply> => send(world.app, asked);
  return {
    ...world,
    manager,
    ask,
    look: (path, token = READ) => ask({ path, token }),
    post: (path, body, token = DANGER) =>
      ask({ method: 'POST', path, token, ...(body === undefined ? {} : { body }) }),
  };
}

export function portOf(app: INestApplication): number {
  return (app.getHttpServer().address() as AddressInfo).port;
}

/** One request over a connection of its own, with nothing that a client library would add. */
export function send(app: INestApplication, ask: Ask): Promise<Reply> {
  const { method = 'GET', path, token, headers = {}, body, raw } = ask;
  const content = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  const all: string[] = Array.isArray(headers)
    ? [...headers]
    : Object.entries(headers).flatMap(([name, value]) => [name, String(value)]);
  const has = (name: string): boolean =>
    all.some((h, i) => i % 2 === 0 && h.toLowerCase() === name);
  if (!has('host')) all.push('Host', `127.0.0.1:${portOf(app)}`);
  if (token !== undefined) all.push('Authorization', `Bearer ${token}`);
  if (content !== undefined) {
    if (!has('content-type')) all.push('Content-Type', 'application/json');
    if (!has('content-length') && !has('transfer-encoding'))
      all.push('Content-Length', String(Buffer.byteLength(content)));
  } else if (method === 'POST' && !has('content-length') && !has('transfer-encoding')) {
    all.push('Content-Length', '0');
  }
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      { host: '127.0.0.1', port: portOf(app), method, path, headers: all, agent: false },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode!,
            headers: response.headers,
            text,
            get json() {
              return JSON.parse(text) as Record<string, unknown>;
            },
          }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(content);
  });
}
