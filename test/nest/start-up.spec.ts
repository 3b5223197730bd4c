import { Injectable, Module, type OnModuleInit, type OnApplicationShutdown } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  CircuitBreaker,
  Fallback,
  ResilienceModule,
  ResilienceRegistry,
  ResilienceService,
} from 'nestjs-bulwark';
import { EventRecorder, settle } from 'nestjs-bulwark/testing';
import { boot, bootError, closeAll, eventLoopTurns } from './support/app.js';
import { LogBook } from './support/log-book.js';

afterEach(closeAll);

@Injectable()
class Client {
  @Fallback({ value: 'protected' })
  @CircuitBreaker()
  async call(): Promise<string> {
    throw new Error('plain');
  }
}

describe('calls while the application starts and stops', () => {
  it('in a constructor, on its own instance, run plain', async () => {
    let answer: Promise<string> | undefined;
    @Injectable()
    class Impatient extends Client {
      constructor() {
        super();
        answer = this.call();
        answer.catch(() => {});
      }
    }
    const { app } = await boot({ providers: [Impatient] });

    await expect(answer).rejects.toThrow('plain');
    await expect(app.get(Impatient).call()).resolves.toBe('protected');
  });

  it('in a constructor do not use up the report of an unbound call', async () => {
    @Injectable()
    class Impatient {
      constructor() {
        this.call().catch(() => {});
      }

      @Fallback({ value: 'protected' })
      async call(): Promise<string> {
        throw new Error('plain');
      }
    }
    const { app } = await boot({ providers: [Impatient] });
    const recorder = new EventRecorder(app.get(ResilienceService).events$);

    await new Impatient().call().catch(() => {});
    await settle();

    expect(recorder.of('unbound-call')).toHaveLength(1);
  });

  it('in a constructor, of another provider, are protected', async () => {
    let answer: Promise<string> | undefined;
    @Injectable()
    class Caller {
      constructor(client: Client) {
        answer = client.call();
        answer.catch(() => {});
      }
    }
    await boot({ providers: [Client, Caller] });

    await expect(answer).resolves.toBe('protected');
  });

  it('in onModuleInit are protected, wherever the caller is', async () => {
    const answers: string[] = [];
    const caller = (): new (client: Client) => OnModuleInit => {
      @Injectable()
      class Caller implements OnModuleInit {
        constructor(private readonly client: Client) {}

        async onModuleInit(): Promise<void> {
          answers.push(await this.client.call());
        }
      }
      return Caller;
    };
    @Module({ providers: [Client, caller()], exports: [Client] })
    class Deep {}
    const { app } = await boot({ imports: [Deep], providers: [caller()] });

    expect(answers).toEqual(['protected', 'protected']);
    expect(app.get(ResilienceRegistry).breakers.list()).toHaveLength(1);
  });

  it('a boot that fails has called nobody else yet', async () => {
    let started = false;
    @Injectable()
    class Server implements OnModuleInit {
      onModuleInit(): void {
        started = true;
      }
    }
    @Injectable()
    class Bad {
      @CircuitBreaker({ failureThreshold: -1 })
      async call(): Promise<void> {}
    }
    @Module({ providers: [Server] })
    class Deep {}

    await bootError({ imports: [Deep], providers: [Bad, Server] });

    expect(started).toBe(false);
  });

  it('in onApplicationShutdown are protected still', async () => {
    let last: string | undefined;
    @Injectable()
    class Leaving implements OnApplicationShutdown {
      constructor(private readonly client: Client) {}

      async onApplicationShutdown(): Promise<void> {
        last = await this.client.call();
      }
    }
    await boot({ providers: [Client, Leaving] });
    await closeAll();

    expect(last).toBe('protected');
  });

  it('in a testing module that is compiled and never initialised are protected', async () => {
    const module = await Test.createTestingModule({
      imports: [ResilienceModule.forRoot({ health: false })],
      providers: [Client],
    }).compile();

    await expect(module.get(Client).call()).resolves.toBe('protected');
  });

  it('in a testing module that is never initialised are reported once if they run plain', async () => {
    const log = new LogBook();
    const module = await Test.createTestingModule({
      imports: [ResilienceModule.forRoot({ health: false })],
      providers: [Client],
    })
      .setLogger(log)
      .compile();

    const stranger = new Client();
    for (let i = 0; i < 2; i += 1) await expect(stranger.call()).rejects.toThrow('plain');
    await eventLoopTurns();

    expect(log.ours.map(({ message }) => message)).toEqual([
      expect.stringContaining('Client.call ran without its policies'),
    ]);
    await stranger.call().catch(() => {});
    await eventLoopTurns();
    expect(log.ours).toHaveLength(1);
    await module.close();
  });

  it('in a testing module that is never initialised are reported when it closes, if they came while it was made', async () => {
    const log = new LogBook();
    const impatient = {
      provide: 'impatient',
      useFactory: async () => {
        const made = new Client();
        await made.call().catch(() => {});
        return made;
      },
    };
    const module = await Test.createTestingModule({
      imports: [ResilienceModule.forRoot({ health: false })],
      providers: [impatient],
    })
      .setLogger(log)
      .compile();

    await module.close();

    expect(log.ours.map(({ message }) => message)).toEqual([
      expect.stringContaining('Client.call ran without its policies'),
    ]);
  });

  it('that run plain wait for the hooks, however long the start takes', async () => {
    let recorder: EventRecorder | undefined;
    @Injectable()
    class Impatient extends Client implements OnModuleInit {
      constructor(private readonly service: ResilienceService) {
        super();
        this.call().catch(() => {});
      }

      onModuleInit(): void {
        recorder = new EventRecorder(this.service.events$);
      }
    }
    const slow = { provide: 'slow', useFactory: () => eventLoopTurns() };
    const { log } = await boot({ providers: [Impatient, slow], prepare: () => eventLoopTurns() });
    await settle();

    expect(recorder!.of('unbound-call')).toHaveLength(1);
    expect(log.ours).toHaveLength(1);
  });

  it('of a stranger are heard by the application that lives, not by one that failed to start', async () => {
    const { app } = await boot({});
    const recorder = new EventRecorder(app.get(ResilienceService).events$);
    @Injectable()
    class Bad {
      @CircuitBreaker({ failureThreshold: -1 })
      async call(): Promise<void> {}
    }
    await bootError({ providers: [Bad] });

    await new Client().call().catch(() => {});
    await settle();

    expect(recorder.of('unbound-call')).toHaveLength(1);
  });
});
