import type { IncomingMessage } from 'node:http';
import { All, Controller, HttpCode, Logger, Req, Res } from '@nestjs/common';
import { CheckpointError, isResilienceRejection } from 'nestjs-bulwark';
import { TransactionRefusedError } from '../transaction/transaction-refused.error.js';
import { batchOf, errorAnswer, idOf, parseBody, parseRequest, resultAnswer } from './json-rpc.js';
import type { RpcAnswer, RpcId } from './json-rpc.js';
import { ClientLimit } from './client-limit.js';
import { readBody } from './read-body.js';
import { RpcError } from './rpc.error.js';
import { RpcMethods } from './rpc.methods.js';

interface Response {
  status(code: number): unknown;
  setHeader(name: string, value: string): unknown;
}

type Answer = RpcAnswer | readonly RpcAnswer[] | undefined;

/** JSON-RPC 2.0 over HTTP: whatever a request says, its answer is a JSON-RPC answer. */
@Controller('rpc')
export class RpcController {
  private readonly logger = new Logger('Rpc');

  constructor(
    private readonly methods: RpcMethods,
    private readonly limit: ClientLimit,
  ) {}

  @All()
  @HttpCode(200)
  async post(
    @Req() request: IncomingMessage,
    @Res({ passthrough: true }) response: Response,
  ): Promise<Answer> {
    response.setHeader('allow', 'POST');
    try {
      const client = this.limit.clientOf(request);
      const answer = await this.answer(client, parseBody(await readBody(request)));
      if (answer === undefined) response.status(204);
      return answer;
    } catch (error) {
      const problem = this.rpcErrorOf(error);
      response.status(problem.httpStatus);
      return errorAnswer(null, problem);
    }
  }

  private async answer(client: string, body: unknown): Promise<Answer> {
    const batch = batchOf(body);
    if (batch === undefined) return this.answerOne(client, body);
    const answers = await Promise.all(batch.map((one) => this.answerOne(client, one)));
    const given = answers.filter((one) => one !== undefined);
    return given.length === 0 ? undefined : given;
  }

  private async answerOne(client: string, body: unknown): Promise<RpcAnswer | undefined> {
    let id: RpcId | undefined = idOf(body);
    try {
      const request = parseRequest(body);
      id = request.id;
      await this.limit.admit(client);
      const result = await this.methods.call(request.method, request.params);
      return id === undefined ? undefined : resultAnswer(id, result);
    } catch (error) {
      return id === undefined ? undefined : errorAnswer(id, this.rpcErrorOf(error));
    }
  }

  private rpcErrorOf(error: unknown): RpcError {
    if (error instanceof RpcError) return error;
    if (error instanceof TransactionRefusedError) {
      return new RpcError(error.reason, error.message, error.facts);
    }
    if (error instanceof CheckpointError || isKeeping(error)) {
      return new RpcError(
        'storage-unavailable',
        'it is not known whether this was kept: send it again as it is',
      );
    }
    if (isResilienceRejection(error)) {
      const { code, retryAfter, policy } = error;
      const [reason, problem] =
        policy === 'rate-limit'
          ? (['rate-limited', 'you ask more than one client may'] as const)
          : (['overloaded', 'the node is busy, try again'] as const);
      return new RpcError(reason, problem, {
        refusedBy: code,
        ...(retryAfter === undefined ? {} : { retryAfter: Math.ceil(retryAfter) }),
      });
    }
    // What it is goes to the log, not to a stranger.
    this.logger.error(error instanceof Error ? error.stack : error);
    return new RpcError('internal-error', 'internal error');
  }
}

/** The refusals of the store: nothing was kept, or nobody knows. */
function isKeeping(error: unknown): boolean {
  return isResilienceRejection(error) && error.policy === 'checkpoint';
}
