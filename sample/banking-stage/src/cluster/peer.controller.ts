import type { IncomingMessage } from 'node:http';
import {
  BadRequestException,
  Controller,
  ForbiddenException,
  HttpCode,
  Param,
  Post,
  Req,
  Res,
} from '@nestjs/common';
import { bytesOf } from '../rpc/read-body.js';
import { answerTo, MESSAGE_LIMIT, sealHeaders, sealOf } from './envelope.js';
import { Members } from './members.js';
import type { Verb } from './messages.js';
import { PeerDesk } from './peer.desk.js';

interface Response {
  set(headers: Record<string, string>): unknown;
}

/** What the other validators ask. Whatever is not signed by one of them is refused unread. */
@Controller('peer')
export class PeerController {
  constructor(
    private readonly members: Members,
    private readonly desk: PeerDesk,
  ) {}

  @Post(':verb')
  @HttpCode(200)
  async post(
    @Param('verb') verb: string,
    @Req() request: IncomingMessage,
    @Res({ passthrough: true }) response: Response,
  ): Promise<string> {
    const seal = sealOf(request.headers, verb);
    const sender = this.members.byAddress(seal?.by ?? '');
    if (!seal || !sender) throw new ForbiddenException('that is not signed by a validator');
    const body = await bytesOf(request, MESSAGE_LIMIT).catch((error: Error) => {
      throw new BadRequestException(error.message);
    });
    if (!seal.holds(body)) throw new ForbiddenException('that is not what was signed');
    const answer = JSON.stringify(await this.desk.answer(sender, verb as Verb, messageOf(body)));
    response.set({
      'content-type': 'application/json',
      ...sealHeaders(answerTo(seal.signature), answer, this.members.keys),
    });
    return answer;
  }
}

function messageOf(body: Buffer): never {
  try {
    return JSON.parse(String(body)) as never;
  } catch {
    throw new BadRequestException('that is not JSON');
  }
}
