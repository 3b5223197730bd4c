import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { CircuitBreaker, ResilienceModule, ResilienceService } from 'nestjs-bulwark';
import { EventRecorder } from 'nestjs-bulwark/testing';
import { ADAPTERS, boot, closeAll, serve } from './support/app.js';

afterEach(closeAll);

@Injectable()
class Client implements OnApplicationShutdown {
  shutdowns = 0;

  @CircuitBreaker()
  async call(): Promise<string> {
    return 'fine';
  }

  onApplicationShutdown(): void {
    this.shutdowns += 1;
  }
}

describe('closing the application', () => {
  it.each(ADAPTERS)('#91 twice is harmless on %s, in turn and at once', async (_, adapter) => {
    const one = await serve(adapter, { providers: [Client] });
    await one.app.close();
    await expect(one.app.close()).resolves.toBeUndefined();

    const other = await serve(adapter, { providers: [Client] });
    await expect(Promise.all([other.app.close(), other.app.close()])).resolves.toHaveLength(2);
    expect([one, other].flatMap(({ log }) => log.ours)).toEqual([]);
  });

  it('#91 #94 twice takes nothing from an application that lives', async () => {
    const [one, two] = [await boot({ providers: [Client] }), await boot({ providers: [Client] })];
    await one.app.close();
    await one.app.close();

    const recorder = EventRecorder.on(two.app);
    await expect(two.app.get(Client).call()).resolves.toBe('fine');
    await two.app.get(ResilienceService).execute('x', async () => 1, { retry: {} });
    expect(recorder.of('unbound-call')).toEqual([]);
  });

  it('#91 of a module that was compiled and never initialised is harmless too', async () => {
    const bare = await Test.createTestingModule({
      imports: [ResilienceModule.forRoot({ health: false })],
      providers: [Client],
    }).compile();

    await expect(bare.close()).resolves.toBeUndefined();
    await expect(bare.close()).resolves.toBeUndefined();
  });
});
