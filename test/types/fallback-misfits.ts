/** Checked by `tsc --noEmit`, never run: what does not fit its method does not compile. */
import { Fallback } from 'nestjs-bulwark';

interface Quote {
  readonly price: number;
}
const quote: Quote = { price: 1 };

export class Bad {
  // @ts-expect-error the answer is of another type
  @Fallback(() => 'text')
  async wrongAnswer(): Promise<Quote> {
    return quote;
  }

  // @ts-expect-error the promised answer is of another type
  @Fallback(async () => 'text')
  async wrongPromise(): Promise<Quote> {
    return quote;
  }

  // @ts-expect-error an optional answer where one is required
  @Fallback((): Quote | undefined => undefined)
  async perhaps(): Promise<Quote> {
    return quote;
  }

  // @ts-expect-error the parameter is of another type
  @Fallback((_error, amount: number) => ({ price: amount }))
  async wrongParameter(_symbol: string): Promise<Quote> {
    return quote;
  }

  // @ts-expect-error more parameters than the method has
  @Fallback((_error, _symbol: string, amount: number) => ({ price: amount }))
  async tooMany(_symbol: string): Promise<Quote> {
    return quote;
  }

  // @ts-expect-error the error comes first, and may be anything
  @Fallback((symbol: string) => ({ price: symbol.length }))
  async forgottenError(_symbol: string): Promise<Quote> {
    return quote;
  }

  // @ts-expect-error the value is of another type
  @Fallback({ value: 'text' })
  async wrongValue(): Promise<Quote> {
    return quote;
  }

  // @ts-expect-error there is no such method
  @Fallback({ method: 'missing' })
  async without(): Promise<Quote> {
    return quote;
  }

  // @ts-expect-error that is a field
  @Fallback({ method: 'field' })
  async notAMethod(): Promise<Quote> {
    return quote;
  }

  // @ts-expect-error the method answers something else
  @Fallback({ method: 'text' })
  async methodAnswers(): Promise<Quote> {
    return quote;
  }

  // @ts-expect-error the method takes something else
  @Fallback({ method: 'takesNumber' })
  async methodTakes(_symbol: string): Promise<Quote> {
    return quote;
  }

  // @ts-expect-error a synchronous method has no use for it
  @Fallback({ value: 1 })
  sync(): number {
    return 1;
  }

  // @ts-expect-error one of the list answers something else
  @Fallback([() => quote, { value: 'text' }])
  async wrongInList(): Promise<Quote> {
    return quote;
  }

  // @ts-expect-error one of the list takes something else
  @Fallback([{ handler: (_error: unknown, amount: number) => ({ price: amount }) }, () => quote])
  async wrongParameterInList(_symbol: string): Promise<Quote> {
    return quote;
  }

  // @ts-expect-error a method of the list is missing
  @Fallback([{ method: 'missing' }, { value: quote }])
  async missingInList(): Promise<Quote> {
    return quote;
  }

  // @ts-expect-error an entry that can answer nothing
  @Fallback([{ on: RangeError }])
  async emptyEntry(): Promise<Quote> {
    return quote;
  }

  // @ts-expect-error nothing given
  @Fallback()
  async nothing(): Promise<Quote> {
    return quote;
  }

  // @ts-expect-error the key takes something else
  @Fallback({ cache: { ttl: 1, key: (amount: number) => String(amount) } })
  async wrongKey(_symbol: string): Promise<Quote> {
    return quote;
  }

  // @ts-expect-error the key takes more than the method
  @Fallback({ cache: { ttl: 1, key: (symbol: string, user: string) => symbol + user } })
  async tooMuchKey(_symbol: string): Promise<Quote> {
    return quote;
  }

  // @ts-expect-error a key is a string
  @Fallback({ cache: { ttl: 1, key: (id: number) => id } })
  async numericKey(_id: number): Promise<Quote> {
    return quote;
  }

  // @ts-expect-error who shares the answers must be said
  @Fallback({ cache: { ttl: 1 } })
  async noKey(): Promise<Quote> {
    return quote;
  }

  // @ts-expect-error no such option
  @Fallback({ cache: { ttl: 1, key: () => 'all', max: 5 } })
  async unknownInCache(): Promise<Quote> {
    return quote;
  }

  // @ts-expect-error the alternative takes something else
  @Fallback({ alternative: (amount: number) => ({ price: amount }) })
  async wrongAlternative(_symbol: string): Promise<Quote> {
    return quote;
  }

  // @ts-expect-error the alternative answers something else
  @Fallback({ alternative: () => 'text' })
  async alternativeAnswers(): Promise<Quote> {
    return quote;
  }

  // @ts-expect-error one of the alternatives answers something else
  @Fallback({ alternative: [() => quote, () => 'text'] })
  async oneAlternative(): Promise<Quote> {
    return quote;
  }

  // @ts-expect-error a synchronous method has no use for it
  @Fallback({ alternative: () => 1 })
  syncAlternative(): number {
    return 1;
  }

  // @ts-expect-error the key of one of the list takes something else
  @Fallback([{ cache: { ttl: 1, key: (amount: number) => String(amount) } }, () => quote])
  async wrongKeyInList(_symbol: string): Promise<Quote> {
    return quote;
  }

  // @ts-expect-error one of the alternatives in the list takes something else
  @Fallback([{ alternative: [(amount: number) => ({ price: amount })] }])
  async wrongAlternativeInList(_symbol: string): Promise<Quote> {
    return quote;
  }

  // @ts-expect-error one of the list is cached without a key
  @Fallback([{ cache: { ttl: 1 } }])
  async noKeyInList(): Promise<Quote> {
    return quote;
  }

  readonly field = 1;

  text(_error: unknown): string {
    return 'text';
  }

  async takesNumber(_error: unknown, amount: number): Promise<Quote> {
    return { price: amount };
  }
}
