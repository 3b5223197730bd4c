import { Checkpoint, CheckpointComponent, Durable, DurableMap, DurableValue } from 'nestjs-bulwark';

@CheckpointComponent({ name: 'ledger' })
export class Ledger {
  @Durable() readonly accounts = new DurableMap<string, { owner: string; limits: number[] }>();
  @Durable() readonly opened = new DurableValue(new Date(0));

  @Checkpoint({ idempotencyKey: (id: string) => id })
  async pay(_id: string, amount: number): Promise<number> {
    return amount;
  }

  @Checkpoint({ rollback: true, journal: (result: number, id: string) => ({ result, id }) })
  async journaled(id: string): Promise<number> {
    return id.length;
  }

  // @ts-expect-error the key takes a number, the method a string
  @Checkpoint({ idempotencyKey: (id: number) => String(id) })
  async badKey(id: string): Promise<string> {
    return id;
  }

  // @ts-expect-error the journal takes another result
  @Checkpoint({ rollback: true, journal: (result: string) => result })
  async badJournal(): Promise<number> {
    return 1;
  }

  // @ts-expect-error a method that keeps what it does returns a Promise
  @Checkpoint()
  notAsync(): number {
    return 1;
  }

  read(): void {
    const account = this.accounts.get('a')!;
    // @ts-expect-error what comes out is frozen
    account.owner = 'b';
    // @ts-expect-error to its depth
    account.limits.push(1);
    // @ts-expect-error keys are primitive
    void new DurableMap<{ id: string }, number>();
  }
}
