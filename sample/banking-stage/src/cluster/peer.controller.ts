import type { IncomingMessage } from 'node:http';
import {
  BadRequestException,
  Controller,
  ForbiddenException,
  HttpCode,
  Param,
  Post,
  Req,
} from '@nestjs/common';
import { bytesOf } from '../rpc/read-body.js';
import { MESSAGE_LIMIT, senderOf } from './envelope.js';
import { Members } from './members.js';
import type { Verb } from './messages.js';
import { PeerDesk } from './peer.desk.js';

/** What the other validators ask. What is not signed by one of them is refused before it is parsed. */
@Controller('peer')
export class PeerController {
  constructor(
    private readonly members: Members,
    private readonly desk: PeerDesk,
  ) {}

  @Post(':verb')
  @HttpCode(200)
  async post(@Param('verb') verb: string, @Req() request: IncomingMessage): Promise<object> {
    const body = await bytesOf(request, MESSAGE_LIMIT).catch((error: Error) => {
      throw new BadRequestException(error.message);
    });
    const sender = this.members.byAddress(senderOf(request.headers, verb, body) ?? '');
    if (!sender) throw new ForbiddenException('that is not signed by a validator');
    return this.desk.answer(sender, verb as Verb, messageOf(body));
  }
}

function messageOf(body: Buffer): never {
  try {
    return JSON.parse(String(body)) as never;
  } catch {
    throw new BadRequestException('that is not JSON');
  }
}
