import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { type ErrorPatternSeen, ResilienceModule, ResilienceService, Retry } from 'nestjs-bulwark';

@Injectable()
class Bank {
  down = true;

  @Retry({ maxAttempts: 1 })
  async pay(): Promise<string> {
    if (this.down) throw new Error('password=hunter2 refused');
    return 'paid';
  }
}

describe('patterns by the clock of the machine', () => {
  it('are told of when they begin and when they are over, with nobody asking', async () => {
    const redact = (text: string): string => text.replaceAll('Bank', 'B***');
    const lines: string[] = [];
    const write = (message: unknown): void => void lines.push(String(message));
    const module = await Test.createTestingModule({
      imports: [ResilienceModule.forRoot({ health: false, errors: { log: { redact } } })],
      providers: [Bank],
    })
      .setLogger({ log: write, warn: write, error: write })
      .compile();
    await module.init();
    const seen: ErrorPatternSeen[] = [];
    module.get(ResilienceService).events$.subscribe((event) => {
      if (event.type === 'error-pattern' && event.pattern === 'persistent') seen.push(event);
    });
    const until = async (count: number): Promise<void> => {
      for (const end = Date.now() + 20_000; seen.length < count && Date.now() < end;)
        await new Promise((resolve) => setTimeout(resolve, 20));
    };
    const bank = module.get(Bank);
    for (let i = 0; i < 10; i += 1) await bank.pay().catch(() => {});
    await until(1);
    expect(seen).toMatchObject([{ target: 'Bank.pay', ended: false, count: 10 }]);
    expect(lines.filter((line) => line.startsWith('B***.pay: persistent failure'))).toHaveLength(1);

    bank.down = false;
    await bank.pay();
    await until(2);
    expect(seen[1]).toMatchObject({ target: 'Bank.pay', ended: true, severity: 'info' });
    expect(lines.join('\n')).not.toContain('hunter2');
    await module.close();
  }, 60_000);
});
