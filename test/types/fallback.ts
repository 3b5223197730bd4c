/** Checked by `tsc --noEmit`, never run: a fallback fits its method, or does not compile. */
import { Fallback, minutes, structuralKey } from 'nestjs-bulwark';
import { of, type Observable } from 'rxjs';

interface Quote {
  readonly price: number;
}
const quote: Quote = { price: 1 };

/** Defined elsewhere: takes less than the method has. */
const cheapest = (): Quote => quote;
const logged = (_error: unknown): Quote => quote;
const later = async (_error: unknown, _symbol: string): Promise<Quote> => quote;

export class GoodFunctions {
  @Fallback((_error, symbol: string, amount: number) => ({ price: symbol.length * amount }))
  async all(_symbol: string, _amount: number): Promise<Quote> {
    return quote;
  }

  @Fallback((_error, _symbol: string) => quote)
  async fewer(_symbol: string, _amount: number): Promise<Quote> {
    return quote;
  }

  @Fallback((error) => ({ price: error instanceof RangeError ? 1 : 2 }))
  async onlyTheError(_symbol: string, _amount: number): Promise<Quote> {
    return quote;
  }

  @Fallback(() => quote)
  async nothing(_symbol: string): Promise<Quote> {
    return quote;
  }

  @Fallback(cheapest)
  async named(_symbol: string): Promise<Quote> {
    return quote;
  }

  @Fallback(logged)
  async namedWithError(_symbol: string): Promise<Quote> {
    return quote;
  }

  @Fallback(later)
  async promise(_symbol: string): Promise<Quote> {
    return quote;
  }

  @Fallback(() => of(quote))
  observable(): Observable<Quote> {
    return of(quote);
  }

  @Fallback(async () => quote)
  promiseForAStream(): Observable<Quote> {
    return of(quote);
  }

  @Fallback(() => quote)
  valueForAStream(): Observable<Quote> {
    return of(quote);
  }

  @Fallback((_error, symbol: string | number) => ({ price: Number(symbol) }))
  async wider(_symbol: string): Promise<Quote> {
    return quote;
  }

  @Fallback((_error, ...rest: unknown[]) => ({ price: rest.length }))
  async rest(_symbol: string, _amount: number): Promise<Quote> {
    return quote;
  }

  @Fallback(() => ({ price: 1, stale: true }))
  async narrowerAnswer(): Promise<Quote> {
    return quote;
  }

  @Fallback(() => ({ status: 'degraded', notes: ['late'] }))
  async literals(): Promise<{ status: 'fine' | 'degraded'; notes: string[] }> {
    return { status: 'fine', notes: [] };
  }

  @Fallback(() => [])
  async list(): Promise<Quote[]> {
    return [];
  }

  @Fallback(() => of('degraded'))
  word(): Observable<string> {
    return of('fine');
  }

  @Fallback(() => null)
  async nullable(): Promise<Quote | null> {
    return quote;
  }

  @Fallback(() => {})
  async void(_a: string): Promise<void> {}

  @Fallback(() => {
    throw new Error('translated');
  })
  async rethrow(): Promise<Quote> {
    return quote;
  }

  @Fallback({ handler: (_error, symbol: string) => ({ price: symbol.length }), on: RangeError })
  async options(_symbol: string, _amount: number): Promise<Quote> {
    return quote;
  }
}

export class GoodValues {
  @Fallback({ value: quote })
  async value(_symbol: string): Promise<Quote> {
    return quote;
  }

  @Fallback({ value: [] })
  async list(): Promise<string[]> {
    return [];
  }

  @Fallback({ value: null, except: ['ENOENT'] })
  async nullable(): Promise<Quote | null> {
    return quote;
  }

  @Fallback({ value: 'degraded' })
  async word(): Promise<'fine' | 'degraded'> {
    return 'fine';
  }

  @Fallback({ value: undefined })
  async void(): Promise<void> {}

  @Fallback({ value: { status: 'degraded', notes: ['late'] } })
  async nested(): Promise<{ status: 'fine' | 'degraded'; notes: string[] }> {
    return { status: 'fine', notes: [] };
  }

  @Fallback({ value: new Map([['a', 1]]) })
  async instance(): Promise<Map<string, number>> {
    return new Map();
  }

  @Fallback({ value: Object.freeze(quote) })
  async frozen(): Promise<Readonly<Quote>> {
    return quote;
  }
}

export class GoodMethods {
  @Fallback({ method: 'instead' })
  async all(_symbol: string, _amount: number): Promise<Quote> {
    return quote;
  }

  @Fallback({ method: 'fewer', on: RangeError })
  async some(_symbol: string, _amount: number): Promise<Quote> {
    return quote;
  }

  @Fallback({ method: 'synchronous' })
  stream(_symbol: string): Observable<Quote> {
    return of(quote);
  }

  async instead(_error: unknown, _symbol: string, _amount: number): Promise<Quote> {
    return quote;
  }

  async fewer(_error: unknown): Promise<Quote> {
    return quote;
  }

  synchronous(): Quote {
    return quote;
  }
}

export class GoodLists {
  @Fallback([
    { handler: (_error, symbol: string) => ({ price: symbol.length }), on: RangeError },
    { method: 'instead', except: 'ECONNRESET' },
    () => quote,
    { value: quote },
  ])
  async all(_symbol: string, _amount: number): Promise<Quote> {
    return quote;
  }

  @Fallback([{ value: 1 }])
  stream(): Observable<number> {
    return of(1);
  }

  async instead(_error: unknown, _symbol: string): Promise<Quote> {
    return quote;
  }
}

const elsewhere = async (symbol: string): Promise<Quote> => ({ price: symbol.length });
const anywhere = (): Quote => quote;

export class GoodCaches {
  @Fallback({ cache: { ttl: minutes(1), key: (symbol: string) => symbol } })
  async one(_symbol: string): Promise<Quote> {
    return quote;
  }

  @Fallback({
    cache: { ttl: 1, key: (user: { id?: string }) => user.id, maxEntries: 5, clone: true },
  })
  async fewerAndPerhaps(_user: { id?: string; name: string }, _page: number): Promise<Quote> {
    return quote;
  }

  @Fallback({ cache: { ttl: 1, key: () => 'all' }, except: RangeError })
  stream(): Observable<Quote> {
    return of(quote);
  }

  @Fallback({ cache: { ttl: 1, key: (...args: unknown[]) => structuralKey(args) } })
  async structural(_symbol: string, _page: number): Promise<Quote> {
    return quote;
  }
}

export class GoodAlternatives {
  @Fallback({ alternative: elsewhere })
  async one(_symbol: string): Promise<Quote> {
    return quote;
  }

  @Fallback({
    alternative: [elsewhere, anywhere, (symbol: string) => of({ price: symbol.length })],
  })
  async several(_symbol: string, _amount: number): Promise<Quote> {
    return quote;
  }

  @Fallback({ alternative: () => of(quote), on: RangeError })
  fewer(_symbol: string): Observable<Quote> {
    return of(quote);
  }

  @Fallback([
    { alternative: [elsewhere, anywhere] },
    { cache: { ttl: 1, key: (symbol: string) => symbol }, except: 'ENOENT' },
    { value: quote },
  ])
  async list(_symbol: string): Promise<Quote> {
    return quote;
  }
}

export class LaterLetters {
  @Fallback({ queue: 'orders', receipt: { accepted: true } })
  async order(_symbol: string): Promise<void> {}
}
