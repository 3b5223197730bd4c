import { Injectable } from '@nestjs/common';
import { CircuitBreaker, ResilienceStatistics } from 'nestjs-bulwark';
import { concat, firstValueFrom, from, NEVER, Observable, of, take, throwError } from 'rxjs';
import { boot, closeAll } from '../nest/support/app.js';

afterEach(closeAll);

@Injectable()
class Feed {
  @CircuitBreaker()
  list(): Observable<number> {
    return from([1, 2, 3]);
  }

  @CircuitBreaker()
  broken(): Observable<number> {
    return concat(
      of(1),
      throwError(() => new Error('x')),
    );
  }

  @CircuitBreaker()
  silent(): Observable<number> {
    return NEVER;
  }
}

it('who leaves a stream after a value was answered, who leaves before has left', async () => {
  const { app } = await boot({ providers: [Feed] });
  const feed = app.get(Feed);
  await firstValueFrom(feed.list());
  feed.broken().pipe(take(1)).subscribe();
  feed.silent().subscribe().unsubscribe();

  expect(app.get(ResilienceStatistics).targets()).toMatchObject([
    { target: 'Feed.list', calls: 1, succeeded: 1, cancelled: 0 },
    { target: 'Feed.broken', calls: 1, succeeded: 1, cancelled: 0 },
    { target: 'Feed.silent', calls: 1, succeeded: 0, cancelled: 1 },
  ]);
});
