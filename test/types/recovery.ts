import {
  CircuitBreaker,
  IntegrityCheck,
  OnInvalid,
  OnShutdown,
  Reconnect,
  RecoveryParticipant,
  Remedy,
  Resync,
  Retry,
} from 'nestjs-bulwark';
import type { ErrorContext } from 'nestjs-bulwark';

interface Block {
  readonly height: number;
}

@RecoveryParticipant()
export class Mempool {
  async beforeRestore(): Promise<readonly string[]> {
    return ['tx'];
  }

  afterRestore(carried: readonly string[]): number {
    return carried.length;
  }
}

// @ts-expect-error what is carried over has nobody who takes it
@RecoveryParticipant()
export class OneWay {
  beforeRestore(): string {
    return 'tx';
  }
}

// @ts-expect-error it gets what it did not give
@RecoveryParticipant()
export class Mixed {
  beforeRestore(): string {
    return 'tx';
  }

  afterRestore(_carried: number): void {}
}

@RecoveryParticipant()
export class Forgetful {
  beforeRestore(): void {}

  afterRestore(): void {}
}

export class Node {
  @IntegrityCheck('list')
  list(): string[] {
    return ['a'];
  }

  @IntegrityCheck('later')
  async later(signal: AbortSignal): Promise<readonly { at: string; problem: string }[]> {
    return [{ at: 'block 3', problem: String(signal.aborted) }];
  }

  @IntegrityCheck('one by one')
  *oneByOne(): Iterable<string | undefined> {
    yield undefined;
    yield 'a';
  }

  @IntegrityCheck('one by one, later')
  async *oneByOneLater(): AsyncIterable<string | { problem: string } | undefined> {
    yield { problem: 'a' };
  }

  // @ts-expect-error it answers a list of issues
  @IntegrityCheck('yes or no')
  isFine(): boolean {
    return true;
  }

  // @ts-expect-error a text is a list of letters
  @IntegrityCheck('words')
  words(): string {
    return 'broken';
  }

  // @ts-expect-error also later
  @IntegrityCheck('words, later')
  async wordsLater(): Promise<string> {
    return 'broken';
  }

  // @ts-expect-error an issue says what the problem is
  @IntegrityCheck('place')
  place(): { at: string }[] {
    return [{ at: 'block 3' }];
  }

  // @ts-expect-error nobody gives it a parameter but the signal
  @IntegrityCheck('of a block')
  ofBlock(_block: Block): string[] {
    return [];
  }

  @Reconnect('peers', { attempts: 5, retryEvery: false })
  @CircuitBreaker({ failureThreshold: 2 })
  @Retry()
  async connect(signal: AbortSignal): Promise<boolean> {
    return !signal.aborted;
  }

  @Resync('peers')
  sync(): void {}

  // @ts-expect-error there is no such option
  @Reconnect('peers', { tries: 5 })
  connectAgain(): void {}

  @Remedy('resource')
  @Remedy('timeout')
  clear(error: ErrorContext): string {
    return error.id;
  }

  // @ts-expect-error there is no such category
  @Remedy('weather')
  wait(): void {}

  @OnInvalid('block', 'reject')
  reject(block: Block): boolean {
    return block.height > 0;
  }

  @OnInvalid('transaction', 'request')
  async request(_transaction: unknown): Promise<object | undefined> {
    return undefined;
  }

  // @ts-expect-error there is no such kind
  @OnInvalid('peer', 'reject')
  ban(): void {}

  @OnShutdown({ name: 'mining', dependsOn: ['peers'] })
  async stop(reason: string, signal: AbortSignal): Promise<void> {
    [reason, signal].toString();
  }

  // @ts-expect-error nobody gives it a number
  @OnShutdown()
  stopAt(_code: number): void {}

  // @ts-expect-error a field is no method
  @IntegrityCheck('field')
  readonly field = 5;
}
