import { Injectable } from '@nestjs/common';
import {
  Bulkhead,
  CircuitBreaker,
  currentCall,
  ResilienceRegistry,
  Retry,
  TimeLimit,
} from 'nestjs-bulwark';
import { textOf } from '../fees/answer-text.js';
import { UpstreamAnswerError } from '../fees/upstream-answer.error.js';
import type { Validator } from '../settings.js';
import { answerTo, MESSAGE_LIMIT, sealHeaders, sealOf } from './envelope.js';
import { Members } from './members.js';
import type { Messages, Verb } from './messages.js';

const nameOf = ({ name }: Validator): string => name;

/** The other validators. Each has a breaker and a bulkhead of its own: one that hangs holds up nobody else. */
@Injectable()
export class PeerClient {
  constructor(
    private readonly members: Members,
    private readonly registry: ResilienceRegistry,
  ) {}

  /**
   * Asking again does no harm (`idempotent`): every message may come twice. More failures than calls
   * are on the way to a peer at once open its breaker, so that one stall of this process does not.
   */
  @Retry({ maxAttempts: 2, delay: 50, idempotent: true, budget: false })
  @CircuitBreaker({
    failureThreshold: 6,
    openFor: 1_000,
    maxOpenFor: 2_000,
    successThreshold: 2,
    key: nameOf,
  })
  @TimeLimit(2_000)
  @Bulkhead({ maxConcurrent: 4, maxQueue: 32, key: nameOf })
  async ask<V extends Verb>(
    peer: Validator,
    verb: V,
    message: Messages[V]['ask'],
  ): Promise<Messages[V]['answer']> {
    return this.send(peer, verb, message, currentCall().signal);
  }

  /** Asks once, whatever the breaker says. */
  async send<V extends Verb>(
    peer: Validator,
    verb: V,
    message: Messages[V]['ask'],
    signal: AbortSignal,
  ): Promise<Messages[V]['answer']> {
    const body = JSON.stringify(message);
    const seal = sealHeaders(verb, body, this.members.keys);
    const answer = await fetch(`${peer.url}/peer/${verb}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...seal },
      body,
      redirect: 'error',
      signal,
    });
    const text = await textOf(answer, MESSAGE_LIMIT);
    if (!answer.ok) throw new UpstreamAnswerError(answer.status, `${peer.name} refuses ${verb}`);
    // Where a validator is down, anybody can listen in its place, and promise what it would not.
    const signed = sealOf(Object.fromEntries(answer.headers), answerTo(seal['x-signature']!));
    if (signed?.by !== peer.address || !signed.holds(Buffer.from(text))) {
      throw new UpstreamAnswerError(502, `it is not ${peer.name} that answers ${verb}`);
    }
    return JSON.parse(text) as Messages[V]['answer'];
  }

  /** Whether its breaker lets calls through. */
  isThere({ name }: Validator): boolean {
    const reader = this.registry.breakers.keyedReader('PeerClient.ask')?.reader(name);
    return reader === undefined || reader.state === 'closed';
  }

  get inReach(): readonly Validator[] {
    return this.members.others.filter((peer) => this.isThere(peer));
  }

  /** Whether enough of them can be reached to decide anything. */
  get hasMajority(): boolean {
    return this.inReach.length + 1 >= this.members.majority;
  }
}
