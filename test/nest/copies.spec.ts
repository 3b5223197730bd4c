import { Inject, Injectable } from '@nestjs/common';
import { ResilienceRegistry } from 'nestjs-bulwark';
import { forOtherCopies, makeKnown } from '../../lib/nest/copies.js';
import { boot, closeAll } from './support/app.js';

afterEach(closeAll);

/** The classes that another copy of the package would make known; its name is all that is looked at. */
const others = Object.fromEntries(
  [
    'ApplicationRuntime',
    'CheckpointService',
    'HealthMonitor',
    'RecoveryManager',
    'ResilienceErrors',
    'ResilienceExceptionFilter',
    'ResilienceHealthIndicator',
    'ResilienceRegistry',
    'ResilienceService',
    'ResilienceStatistics',
  ].map((name) => [name, { [name]: class {} }[name]!]),
);

describe('#98 the classes of another copy of the package', () => {
  it('name what this copy provides', async () => {
    makeKnown(Object.values(others));
    @Injectable()
    class Service {
      constructor(
        readonly own: ResilienceRegistry,
        @Inject(others['ResilienceRegistry']!) readonly other: unknown,
      ) {}
    }

    const { app } = await boot({ providers: [Service] });

    const service = app.get(Service);
    expect(service.other).toBe(service.own);
    for (const [name, type] of Object.entries(others))
      expect(app.get<object>(type).constructor.name).toBe(name);
  });

  it('are not those of a class with another name, nor the class itself', () => {
    class Unheard {}
    makeKnown([Unheard]);

    expect(forOtherCopies([Unheard])).toEqual([]);
    class Strange {}
    expect(forOtherCopies([Strange])).toEqual([]);
  });

  it('of this copy are known to the others', () => {
    const theirs = { ResilienceRegistry: class {} }.ResilienceRegistry;

    expect(forOtherCopies([theirs]).map(({ provide }) => provide)).toContain(ResilienceRegistry);
  });

  it('are as many as there are copies', () => {
    const [a, b, c] = [1, 2, 3].map(() => ({ Thrice: class {} }).Thrice);
    for (const copy of [a!, b!, c!]) makeKnown([copy]);

    expect(forOtherCopies([b!])).toEqual([
      { provide: a, useExisting: b },
      { provide: c, useExisting: b },
    ]);
  });
});
