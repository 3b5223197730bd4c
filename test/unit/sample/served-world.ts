import { mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { poll } from '../../../sample/banking-stage/src/client/poll.js';
import { RpcClient, RpcFailure } from '../../../sample/banking-stage/src/client/rpc.client.js';
import type { Receipt } from '../../../sample/banking-stage/src/banking/banking-stage.js';
import { keyPairFrom } from '../../../sample/banking-stage/src/keys/key-pair.js';
import { createNode } from '../../../sample/banking-stage/src/node/create-node.js';
import { HOST, listen, urlOf } from '../../../sample/banking-stage/src/process/listening.js';
import { SETTINGS_DEFAULTS } from '../../../sample/banking-stage/src/settings.js';
import type { NodeSettings } from '../../../sample/banking-stage/src/settings.js';
import { createUpstream } from '../../../sample/banking-stage/src/upstream/upstream.server.js';
import { alice, bob, validator } from './people.js';

export const eve = keyPairFrom('test/eve');
export const MILLION = 1_000_000;
/** How long to wait for what must happen, milliseconds. */
export const DEADLINE = 20_000;
/** For the tests that wait for something to happen: more than their waits together. */
export const PATIENCE = 60_000;

/** A node and its upstream behind real HTTP; compliance blocks eve. */
export class ServedWorld {
  private constructor(
    private readonly upstream: Server,
    readonly upstreamUrl: string,
    readonly app: NestExpressApplication,
    readonly nodeUrl: string,
    readonly dataDirectory: string,
    readonly rpc = new RpcClient(nodeUrl),
  ) {}

  static async open(overrides: Partial<NodeSettings> = {}): Promise<ServedWorld> {
    const dials = { blocked: [eve.address], latencyMs: 1 };
    const upstream = createUpstream({ seed: 1, dials });
    const upstreamUrl = await listen(upstream, 0);
    const dataDirectory = await mkdtemp(join(tmpdir(), 'banking-stage-test-'));
    const settings = {
      ...SETTINGS_DEFAULTS,
      blockInterval: 20,
      upstreamUrl,
      dataDirectory,
      verify: true,
      allocations: [alice, bob, eve].map(({ address }) => ({ owner: address, amount: MILLION })),
      validator: validator.address,
      ...overrides,
    };
    const app = await createNode(settings, { logger: false });
    await app.listen(0, HOST);
    return new ServedWorld(upstream, upstreamUrl, app, urlOf(app.getHttpServer()), dataDirectory);
  }

  async close(): Promise<void> {
    await this.app.close();
    this.upstream.closeAllConnections();
    this.upstream.close();
    await rm(this.dataDirectory, { recursive: true });
  }

  send(transaction: unknown): Promise<Receipt> {
    return this.rpc.call('sendTransaction', transaction);
  }

  turn(dials: unknown): Promise<Response> {
    return fetch(`${this.upstreamUrl}/dials`, { method: 'PUT', body: JSON.stringify(dials) });
  }

  async get(path: string): Promise<{ http: number; body: { status: string } }> {
    const response = await fetch(`${this.nodeUrl}${path}`);
    return { http: response.status, body: (await response.json()) as { status: string } };
  }

  async drained(): Promise<void> {
    await poll('an empty mempool', DEADLINE, async () => {
      const { pending } = await this.rpc.call<{ pending: number }>('getHealth');
      return pending === 0 ? true : undefined;
    });
  }

  /** What the node lets be seen of its state. */
  visibleState(): Promise<unknown> {
    const accounts = [alice, bob, eve, validator].map(({ address }) =>
      this.rpc.call('getAccount', address),
    );
    const others = [this.rpc.call('getBlock', 'latest'), this.rpc.call('getHealth')];
    return Promise.all([...others, ...accounts]);
  }
}

export async function refusal(promise: Promise<unknown>): Promise<RpcFailure['answer']> {
  const outcome: unknown = await promise.catch((error: unknown) => error);
  if (outcome instanceof RpcFailure) return outcome.answer;
  throw new Error(`was not refused: ${JSON.stringify(outcome)}`);
}
