import { Injectable } from '@nestjs/common';
import { CircuitBreaker, Retry, TimeLimit } from 'nestjs-bulwark';
import { boot, bootError, closeAll } from './support/app.js';

afterEach(closeAll);

// what the compiler refuses, as JavaScript and `any` still let it happen
const untyped = (decorator: unknown): MethodDecorator & PropertyDecorator =>
  decorator as MethodDecorator & PropertyDecorator;

describe('#8 a method that returns neither a promise nor a stream', () => {
  it('#8 is refused at boot, with class and method', async () => {
    @Injectable()
    class Calculator {
      @untyped(Retry())
      add(a: number, b: number): number {
        return a + b;
      }
    }

    const error = await bootError({ providers: [Calculator] });

    expect(error.name).toBe('ResilienceConfigError');
    expect(error.message).toContain('Calculator.add: nothing says what it returns');
    expect(error.message).toContain("`returns: 'promise' | 'observable'`");
  });

  it('#8 runs as it is without the module', () => {
    class Calculator {
      @untyped(Retry())
      add(a: number, b: number): number {
        return a + b;
      }
    }

    expect(new Calculator().add(1, 2)).toBe(3);
  });

  it('#8 whose declared type says nothing is accepted with `returns`', async () => {
    @Injectable()
    class Client {
      @Retry({ returns: 'promise' })
      call(): ReturnType<Client['other']> {
        return this.other();
      }

      async other(): Promise<string> {
        return 'fine';
      }
    }
    const { app } = await boot({ providers: [Client] });

    await expect(app.get(Client).call()).resolves.toBe('fine');
  });

  it('#8 with a wrong `returns` is refused with what was expected', async () => {
    @Injectable()
    class Client {
      @Retry({ returns: 'callback' as never })
      async call(): Promise<void> {}
    }

    expect((await bootError({ providers: [Client] })).message).toContain(
      "Client.call returns: got \"callback\", expected 'promise' or 'observable'",
    );
  });

  it('#8 two decorators that disagree about `returns` are refused', async () => {
    @Injectable()
    class Client {
      @Retry({ returns: 'promise' })
      @CircuitBreaker({ returns: 'observable' })
      async call(): Promise<void> {}
    }

    expect((await bootError({ providers: [Client] })).message).toMatch(
      /Client\.call @Retry returns: got "promise", and "observable" before/,
    );
  });

  it('#8 an async method may not be declared a stream', async () => {
    @Injectable()
    class Client {
      @Retry({ returns: 'observable' })
      async call(): Promise<void> {}
    }

    expect((await bootError({ providers: [Client] })).message).toMatch(
      /Client\.call returns: got "observable", but the method is declared to return a promise/,
    );
  });
});

describe('#14 generators', () => {
  it.each([
    [
      'an async generator',
      () => {
        @Injectable()
        class Feed {
          @untyped(Retry())
          async *items(): AsyncGenerator<number> {
            yield 1;
          }
        }
        return Feed;
      },
    ],
    [
      'a generator',
      () => {
        @Injectable()
        class Feed {
          @untyped(CircuitBreaker({ returns: 'promise' }))
          *items(): Generator<number> {
            yield 1;
          }
        }
        return Feed;
      },
    ],
  ])('#14 %s is refused at boot', async (_, make) => {
    expect((await bootError({ providers: [make()] })).message).toContain(
      'Feed.items: is a generator, which cannot be attempted again',
    );
  });
});

describe('#16 members that are not methods of instances', () => {
  it('#16 a symbol-named method works and is named', async () => {
    const act = Symbol('act');
    @Injectable()
    class Client {
      runs = 0;

      @Retry({ maxAttempts: 3, delay: 0, jitter: 'none' })
      async [act](): Promise<number> {
        this.runs += 1;
        if (this.runs < 3) throw new Error('down');
        return this.runs;
      }
    }
    const { app, clock } = await boot({ providers: [Client] });

    const answer = app.get(Client)[act]();
    await clock.advance(10);

    await expect(answer).resolves.toBe(3);
  });

  it('#16 static methods, accessors and properties are refused at boot, each with its name', async () => {
    @Injectable()
    class Client {
      @Retry()
      static async stat(): Promise<void> {}

      @untyped(CircuitBreaker())
      get value(): Promise<number> {
        return Promise.resolve(1);
      }

      @untyped(TimeLimit(50))
      property = async (): Promise<void> => {};
    }

    const { message } = await bootError({ providers: [Client] });

    expect(message).toContain('static Client.stat @Retry: static members have no application');
    expect(message).toContain('Client.value @CircuitBreaker: got an accessor, expected a method');
    expect(message).toContain('Client.property @TimeLimit: got a property, expected a method');
  });

  it('#16 a static method of a class that no module has refuses to run unprotected', () => {
    class Tools {
      @Retry()
      static async stat(): Promise<void> {}
    }

    expect(() => Tools.stat()).toThrow('static Tools.stat @Retry');
  });

  it('#16 a mistake in a parent is found through the child that the module has', async () => {
    abstract class Parent {
      @untyped(Retry())
      get value(): number {
        return 1;
      }
    }
    @Injectable()
    class Child extends Parent {}

    expect((await bootError({ providers: [Child] })).message).toContain('Parent.value @Retry');
  });

  it('the same decorator twice on one method is refused', async () => {
    @Injectable()
    class Client {
      @Retry({ maxAttempts: 2 })
      @Retry({ maxAttempts: 3 })
      async call(): Promise<void> {}
    }

    expect((await bootError({ providers: [Client] })).message).toContain(
      'Client.call @Retry: given twice; expected it once',
    );
  });
});
