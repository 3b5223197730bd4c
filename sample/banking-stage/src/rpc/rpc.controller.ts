import { Body, Controller, HttpCode, Logger, Post, Res } from '@nestjs/common';
import { isResilienceRejection } from 'nestjs-bulwark';
import { TransactionRefusedError } from '../transaction/transaction-refused.error.js';
import { errorAnswer, idOf, parseBody, parseRequest, resultAnswer } from './json-rpc.js';
import type { RpcAnswer, RpcId } from './json-rpc.js';
import { RpcError } from './rpc.error.js';
import { RpcMethods } from './rpc.methods.js';

interface Response {
  status(code: number): unknown;
}

/** JSON-RPC 2.0 over HTTP: whatever a request says, its answer is a JSON-RPC answer. */
@Controller('rpc')
export class RpcController {
  private readonly logger = new Logger('Rpc');

  constructor(private readonly methods: RpcMethods) {}

  /** `body` is text (see create-node.ts): JSON that does not parse needs an answer of ours too. */
  @Post()
  @HttpCode(200)
  async post(
    @Body() body: unknown,
    @Res({ passthrough: true }) response: Response,
  ): Promise<RpcAnswer | undefined> {
    const answer = await this.answer(typeof body === 'string' ? body : '');
    if (answer === undefined) response.status(204);
    return answer;
  }

  private async answer(text: string): Promise<RpcAnswer | undefined> {
    let id: RpcId | undefined = null;
    try {
      const body = parseBody(text);
      id = idOf(body);
      const request = parseRequest(body);
      id = request.id;
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
    if (isResilienceRejection(error)) {
      const { code, retryAfter } = error;
      return new RpcError('overloaded', 'the node is busy, try again', {
        refusedBy: code,
        ...(retryAfter === undefined ? {} : { retryAfter: Math.ceil(retryAfter) }),
      });
    }
    // What it is goes to the log, not to a stranger.
    this.logger.error(error instanceof Error ? error.stack : error);
    return new RpcError('internal-error', 'internal error');
  }
}
