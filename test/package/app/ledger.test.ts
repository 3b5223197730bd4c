// Run by ts-jest in CommonJS, as `nest new` sets it up on Nest 11.
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { CircuitBreaker, CircuitOpenError, CLOCK, ResilienceModule, Retry } from 'nestjs-bulwark';
import { FakeClock, NoOpResilienceModule } from 'nestjs-bulwark/testing';

@Injectable()
class Ledger {
  calls = 0;
  up = false;

  @CircuitBreaker({ failureThreshold: 2, openFor: 1_000, openJitter: 0 })
  async read(): Promise<string> {
    this.calls += 1;
    if (!this.up) throw new Error('down');
    return 'balance';
  }

  @Retry({ maxAttempts: 3, delay: 0 })
  async write(): Promise<void> {
    this.calls += 1;
    throw new Error('down');
  }
}

it('a decorated service behind the module', async () => {
  const clock = new FakeClock();
  const module = await Test.createTestingModule({
    imports: [ResilienceModule.forRoot()],
    providers: [Ledger],
  })
    .overrideProvider(CLOCK)
    .useValue(clock)
    .compile();
  await module.init();
  const ledger = module.get(Ledger);

  for (let i = 0; i < 2; i += 1) await expect(ledger.read()).rejects.toThrow('down');
  await expect(ledger.read()).rejects.toBeInstanceOf(CircuitOpenError);
  expect(ledger.calls).toBe(2);

  ledger.up = true;
  await clock.advance(1_001);
  expect(await ledger.read()).toBe('balance');
  await module.close();
});

it('a decorated service without policies, by the no-op module', async () => {
  const module = await Test.createTestingModule({
    imports: [NoOpResilienceModule.forRoot()],
    providers: [Ledger],
  }).compile();
  await module.init();

  await expect(module.get(Ledger).write()).rejects.toThrow('down');
  expect(module.get(Ledger).calls).toBe(1);
  await module.close();
});

it('a decorated class without any module just runs', async () => {
  const ledger = new Ledger();

  await expect(ledger.write()).rejects.toThrow('down');
  expect(ledger.calls).toBe(1);
});
