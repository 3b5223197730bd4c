import { type INestApplication, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { ResilienceModule } from 'nestjs-bulwark';
import { ADAPTERS } from '../nest/support/app.js';
import { EVERYTHING, Mining, OPERATE, send } from '../nest/recovery/gate-host.js';

@Module({
  imports: [ResilienceModule.forRoot({ health: false, recovery: EVERYTHING })],
  providers: [Mining],
})
class AppModule {}

const apps: INestApplication[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

describe.each(ADAPTERS)('two applications of one module in one process on %s', (_, adapter) => {
  it('do not know of one another, and their documents name each parameter once', async () => {
    for (let i = 0; i < 2; i += 1)
      apps.push(await NestFactory.create(AppModule, adapter(), { logger: false }));
    const documents = apps.map((app) =>
      SwaggerModule.createDocument(app, new DocumentBuilder().build()),
    );
    for (const app of apps) await app.listen(0, '127.0.0.1');

    for (const { paths } of documents) {
      expect(paths['/recovery/errors']!.get!.parameters).toHaveLength(1);
      expect(paths['/recovery/circuit-breakers/{name}/reset']!.post!.parameters).toHaveLength(1);
      expect(paths['/recovery']!.get!.tags).toEqual(['recovery']);
      expect(paths['/recovery']!.get!.security).toHaveLength(1);
    }
    const isolate = { method: 'POST', path: '/recovery/circuit-breakers/mining/isolate' };
    expect((await send(apps[0]!, { ...isolate, token: OPERATE })).status).toBe(200);
    const states = await Promise.all(
      apps.map(async (app) => {
        const { json } = await send(app, { path: '/recovery/circuit-breakers', token: OPERATE });
        return (json['circuit_breakers'] as { mining: { state: string } }).mining.state;
      }),
    );
    expect(states).toEqual(['isolated', 'closed']);
    for (let i = 0; i < 6; i += 1) await send(apps[0]!, { path: '/recovery', token: 'wrong' });
    expect((await send(apps[0]!, { path: '/recovery', token: 'wrong' })).status).toBe(429);
    expect((await send(apps[1]!, { path: '/recovery', token: 'wrong' })).status).toBe(401);
    await apps[0]!.close();
    expect((await send(apps[1]!, { path: '/recovery', token: OPERATE })).status).toBe(200);
  });
});
