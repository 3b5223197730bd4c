import { ResilienceRegistry } from 'nestjs-bulwark';
import { ADAPTERS, closeAll } from '../support/app.js';
import { EVERYTHING, gate, type GateWorld, Mining } from './gate-host.js';

afterEach(closeAll);

const AT = '/recovery/circuit-breakers/mining';

describe.each(ADAPTERS)('hands on circuit breakers on %s', (_, adapter) => {
  const world = (): Promise<GateWorld> => gate(adapter, EVERYTHING);
  const stateIn = ({ app }: GateWorld): string =>
    app.get(ResilienceRegistry).breakers.reader('mining')!.state;

  it('an isolation refuses calls, and ends by itself', async () => {
    const it = await world();

    const { json } = await it.post(`${AT}/isolate`, { ttl_ms: 5_000, reason: 'upgrade' });

    expect(json).toMatchObject({ message: 'Circuit breaker mining isolated', ttl_ms: 5_000 });
    expect(stateIn(it)).toBe('isolated');
    await expect(it.app.get(Mining).mine()).rejects.toThrow();
    expect((await it.look('/recovery/circuit-breakers')).json).toMatchObject({
      circuit_breakers: { mining: { state: 'isolated' } },
    });
    await it.clock.advance(4_999);
    expect(stateIn(it)).toBe('isolated');
    await it.clock.advance(1);
    expect(stateIn(it)).toBe('closed');
    expect(it.manager.of('noteAction')).toHaveLength(1);
  });

  it('without a time it lasts ten minutes', async () => {
    const it = await world();
    await it.post(`${AT}/isolate`);

    await it.clock.advance(599_999);
    expect(stateIn(it)).toBe('isolated');
    await it.clock.advance(1);
    expect(stateIn(it)).toBe('closed');
  });

  it('another one takes the place of the first, and one release ends it', async () => {
    const it = await world();
    await it.post(`${AT}/isolate`, { ttl_ms: 1_000 });
    await it.post(`${AT}/isolate`, { ttl_ms: 60_000 });

    await it.clock.advance(30_000);
    expect(stateIn(it)).toBe('isolated');
    expect((await it.post(`${AT}/release`)).status).toBe(200);
    expect(stateIn(it)).toBe('closed');
    await it.clock.advance(60_000);
    const again = await it.post(`${AT}/release`);
    expect([again.status, again.json['code']]).toEqual([409, 'NOT_ISOLATED']);
  });

  it('release ends what code holds too, and a late timer ends nothing of others', async () => {
    const it = await world();
    const control = it.app.get(ResilienceRegistry).breakers.control('mining')!;
    await it.post(`${AT}/isolate`, { ttl_ms: 1_000 });
    await it.post(`${AT}/release`);
    control.isolate('by code');

    await it.clock.advance(1_000);
    expect(stateIn(it)).toBe('isolated');
    await it.post(`${AT}/release`);
    expect(stateIn(it)).toBe('closed');
  });

  it('a breaker for each key is named by its key; keys are never made', async () => {
    const it = await world();
    const at = '/recovery/circuit-breakers/keyed';
    await it.app.get(Mining).ask('peer-1');

    const without = await it.post(`${at}/isolate`);
    expect([without.status, without.json['code']]).toEqual([400, 'KEY']);
    expect((await it.post(`${at}/reset`, { key: 'peer-2' })).status).toBe(404);
    expect((await it.post(`${at}/isolate`, { key: 'peer-1' })).status).toBe(200);
    await expect(it.app.get(Mining).ask('peer-1')).rejects.toThrow();
    await expect(it.app.get(Mining).ask('peer-3')).resolves.toBe('answer');
    expect((await it.post(`${at}/release`, { key: 'peer-1' })).status).toBe(200);
    await expect(it.app.get(Mining).ask('peer-1')).resolves.toBe('answer');
    const { keyedReader } = it.app.get(ResilienceRegistry).breakers;
    expect(keyedReader.call(it.app.get(ResilienceRegistry).breakers, 'keyed')!.size).toBe(2);
  });
});
