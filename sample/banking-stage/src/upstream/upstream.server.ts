import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { SeededRandom } from '../dice/seeded-random.js';
import { DIALS_DEFAULTS, turned } from './dials.js';
import type { Dials } from './dials.js';
import { readJson } from './read-json.js';
import { feeFor } from './tariff.js';

export interface UpstreamOptions {
  /** Which calls fail at a given error rate. */
  readonly seed: number;
  readonly dials?: Partial<Dials>;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** No answer at all: the connection stays as it is. */
const SILENCE = undefined;

/**
 * The fees-and-compliance service: POST /quote, and /dials to make it ill. An outage strikes only
 * /quote, so that it can be ended.
 */
class Upstream {
  private readonly dice: SeededRandom;
  private readonly calls = { total: 0, answered: 0, failed: 0, cut: 0, hung: 0 };
  private dials: Dials;

  constructor({ seed, dials }: UpstreamOptions) {
    this.dice = new SeededRandom(seed);
    this.dials = { ...DIALS_DEFAULTS, ...dials };
  }

  async route(request: IncomingMessage): Promise<Answer | undefined> {
    const path = request.url?.split('?')[0];
    switch (`${request.method} ${path}`) {
      case 'POST /quote':
        return this.quote(request);
      case 'GET /dials':
        return this.state();
      // Not POST: that a web page could send from its visitor's browser without asking anyone.
      case 'PUT /dials':
        return this.turn(await readJson(request));
      default:
        return problem(404, 'there are POST /quote, GET /dials and PUT /dials');
    }
  }

  private async quote(request: IncomingMessage): Promise<Answer | undefined> {
    const { dials, calls } = this;
    calls.total++;
    const unlucky = this.dice.next() < dials.errorRate;
    if (dials.outage === 'hang') {
      calls.hung++;
      return SILENCE;
    }
    if (dials.outage === 'refuse') {
      calls.cut++;
      request.socket.destroy();
      return SILENCE;
    }
    const payment = await readJson(request);
    await new Promise((resolve) => setTimeout(resolve, dials.latencyMs));
    if (dials.outage === 'error' || unlucky) {
      calls.failed++;
      return problem(dials.outage === 'error' ? 503 : 500, 'out of order');
    }
    calls.answered++;
    return this.judge(payment);
  }

  private judge(payment: unknown): Answer {
    const { from, to, amount } = (payment ?? {}) as Record<string, unknown>;
    if (typeof from !== 'string' || typeof to !== 'string' || typeof amount !== 'number') {
      return problem(400, 'send { from, to, amount }');
    }
    const { blocked } = this.dials;
    const verdict = blocked.includes(from) || blocked.includes(to) ? 'blocked' : 'cleared';
    return { status: 200, body: { fee: feeFor(amount), verdict } };
  }

  private turn(change: unknown): Answer {
    const next = turned(this.dials, change);
    if (typeof next === 'string') return problem(400, next);
    this.dials = next;
    return this.state();
  }

  private state(): Answer {
    return { status: 200, body: { dials: this.dials, calls: this.calls } };
  }
}

export function createUpstream(options: UpstreamOptions): Server {
  const upstream = new Upstream(options);
  return createServer((request, response) => {
    upstream
      .route(request)
      .then((answer) => answer && write(response, answer))
      // The caller may hang up at any time; then there is nobody to tell.
      .catch(() => request.socket.destroy());
  });
}

function problem(status: number, error: string): Answer {
  return { status, body: { error } };
}

function write(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
}
