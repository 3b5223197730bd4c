import { Injectable } from '@nestjs/common';
import { CircuitBreaker, Fallback, ResilienceRegistry, Retry } from 'nestjs-bulwark';
import { boot, closeAll } from './support/app.js';

afterEach(closeAll);

class Base {
  ran: string[] = [];

  @CircuitBreaker({ failureThreshold: 2 })
  async call(fail = false): Promise<string> {
    this.ran.push('base');
    if (fail) throw new Error('down');
    return `base of ${this.constructor.name}`;
  }
}

@Injectable()
class Plain extends Base {}

@Injectable()
class Other extends Base {}

@Injectable()
class Overriding extends Base {
  override async call(fail = false): Promise<string> {
    this.ran.push('child');
    return `child and ${await super.call(fail)}`;
  }
}

@Injectable()
class OverridingDecorated extends Base {
  @CircuitBreaker({ failureThreshold: 1 })
  override async call(fail = false): Promise<string> {
    return super.call(fail);
  }
}

const stateOf = (registry: ResilienceRegistry): Record<string, string> =>
  Object.fromEntries(registry.breakers.list().map(({ name, state }) => [name, state]));

describe('#15 inheritance', () => {
  it('#15 an inherited method is protected, with a state of its own in each class', async () => {
    const { app } = await boot({ providers: [Plain, Other] });
    await app
      .get(Plain)
      .call(true)
      .catch(() => {});
    await app
      .get(Plain)
      .call(true)
      .catch(() => {});

    expect(stateOf(app.get(ResilienceRegistry))).toEqual({
      'Plain.call': 'open',
      'Other.call': 'closed',
    });
    await expect(app.get(Other).call()).resolves.toBe('base of Other');
  });

  it('#15 a super call runs the policies of the parent once', async () => {
    const { app } = await boot({ providers: [Overriding] });
    const child = app.get(Overriding);

    await expect(child.call()).resolves.toBe('child and base of Overriding');

    expect(child.ran).toEqual(['child', 'base']);
    const reader = app.get(ResilienceRegistry).breakers.reader('Overriding.call:Base')!;
    expect(reader.snapshot().counters.success).toBe(1);
  });

  it('#15 an override that is not decorated is not protected by the parent', async () => {
    const { app } = await boot({ providers: [Overriding] });
    const child = app.get(Overriding);
    for (let i = 0; i < 3; i += 1) await child.call(true).catch(() => {});

    expect(child.ran.filter((who) => who === 'child')).toHaveLength(3);
    expect(child.ran.filter((who) => who === 'base')).toHaveLength(2);
  });

  it('#15 an override with a decorator of its own has its own state beside the one of the parent', async () => {
    const { app } = await boot({ providers: [OverridingDecorated] });
    await app
      .get(OverridingDecorated)
      .call(true)
      .catch(() => {});

    expect(stateOf(app.get(ResilienceRegistry))).toEqual({
      'OverridingDecorated.call': 'open',
      'OverridingDecorated.call:Base': 'closed',
    });
  });

  it('#15 parent and child as providers have separate states', async () => {
    Injectable()(Base);
    const { app } = await boot({ providers: [Base, Plain] });
    await app
      .get(Base)
      .call(true)
      .catch(() => {});
    await app
      .get(Base)
      .call(true)
      .catch(() => {});

    expect(stateOf(app.get(ResilienceRegistry))).toEqual({
      'Base.call': 'open',
      'Plain.call': 'closed',
    });
  });

  it('#15 a name makes the classes share one state', async () => {
    abstract class Named {
      @CircuitBreaker({ failureThreshold: 1, name: 'shared' })
      async call(): Promise<void> {
        throw new Error('down');
      }
    }
    @Injectable()
    class One extends Named {}
    @Injectable()
    class Two extends Named {}
    const { app } = await boot({ providers: [One, Two] });
    await app
      .get(One)
      .call()
      .catch(() => {});

    expect(stateOf(app.get(ResilienceRegistry))).toEqual({ shared: 'open' });
    await expect(app.get(Two).call()).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' });
  });

  it('#15 a fallback method may be overridden in the child', async () => {
    class Quotes {
      @Fallback({ method: 'instead' })
      async quote(): Promise<string> {
        throw new Error('down');
      }

      async instead(_error: unknown): Promise<string> {
        return 'of the parent';
      }
    }
    @Injectable()
    class Better extends Quotes {
      override async instead(): Promise<string> {
        return 'of the child';
      }
    }
    const { app } = await boot({ providers: [Better] });

    await expect(app.get(Better).quote()).resolves.toBe('of the child');
  });

  it('#15 a mixin protects each class that it makes', async () => {
    // oxlint-disable-next-line typescript/no-explicit-any -- the compiler asks a mixin for it
    type Constructor = new (...args: any[]) => object;
    const Calling = <B extends Constructor>(Parent: B) => {
      class Mixed extends Parent {
        @Fallback({ value: 'instead' })
        async call(): Promise<string> {
          throw new Error('down');
        }
      }
      return Mixed;
    };
    class Nothing {}
    @Injectable()
    class A extends Calling(Nothing) {}
    @Injectable()
    class B extends Calling(class {}) {}
    const { app } = await boot({ providers: [A, B] });

    await expect(app.get(A).call()).resolves.toBe('instead');
    await expect(app.get(B).call()).resolves.toBe('instead');
  });

  it('a child that injects properties of its own keeps the protection of its parent', async () => {
    @Injectable()
    class Dependency {}
    class Parent {
      @Retry({ maxAttempts: 2, delay: 0, jitter: 'none' })
      @Fallback({ value: 'instead' })
      async call(): Promise<string> {
        throw new Error('down');
      }
    }
    const { Inject } = await import('@nestjs/common');
    @Injectable()
    class Child extends Parent {
      @Inject(Dependency) readonly dependency!: Dependency;
    }
    const { app, clock } = await boot({ providers: [Child, Dependency] });

    const answer = app.get(Child).call();
    await clock.advance(10);

    await expect(answer).resolves.toBe('instead');
    expect(app.get(Child).dependency).toBeInstanceOf(Dependency);
  });
});
