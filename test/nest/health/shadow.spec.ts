import { get as httpGet } from 'node:http';
import { Get, Post } from '@nestjs/common';
import { ADAPTERS, closeAll, serve, type Setting, type World } from '../support/app.js';
import { controller, MINE, moduleWith, raw, type RawServer } from './host.js';

afterEach(closeAll);

/** What `/health` of that host answers. */
function bodyFor({ app }: World, host: string): Promise<string> {
  const { port } = app.getHttpServer().address() as { port: number };
  return new Promise((resolve, reject) => {
    httpGet({ host: '127.0.0.1', port, path: '/health', headers: { host } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve(text));
    }).on('error', reject);
  });
}

describe('on Fastify', () => {
  const fastify = ADAPTERS[1][1];

  it('a plugin with the path wins', async () => {
    const { get } = await serve(fastify, {
      bulwark: {},
      prepare: async (app) => {
        const server = app as unknown as { register(plugin: unknown, options: object): unknown };
        const plugin = async (instance: RawServer): Promise<void> => {
          instance.get('/ready', (_request, reply) => reply.send(MINE));
        };
        server.register(plugin, { prefix: '/health' });
      },
    });

    expect((await get('/health/ready')).text).toBe(MINE);
    expect((await get('/health')).json).toEqual({ status: 'ok' });
  });

  it('an optional parameter makes two routes', async () => {
    const { get } = await serve(fastify, {
      bulwark: {},
      controllers: [controller('health', Get(':part?'))],
    });

    expect((await get('/health')).text).toBe(MINE);
    expect((await get('/health/live')).json).toEqual({ status: 'ok' });
  });

  it('a wildcard leaves ours alone', async () => {
    const { get, log } = await serve(fastify, {
      bulwark: {},
      controllers: [controller(undefined, Get('*'))],
    });

    expect((await get('/health')).json).toEqual({ status: 'ok' });
    expect((await get('/elsewhere')).text).toBe(MINE);
    expect(log.ours).toEqual([]);
  });
});

describe('on Express, where the first route that matches answers', () => {
  const express = ADAPTERS[0][1];
  const warnings = ({ log }: World): string[] =>
    log.ours.filter(({ level }) => level === 'warn').map(({ message }) => message);

  it.each([
    ['*path', '/*path'],
    ['{*path}', '/{*path}'],
    [':page', '/:page'],
    ['hea:rest', '/hea:rest'],
    ['health{/:part}', '/health{/:part}'],
  ])('@Get(%j) before ours is warned of', async (path, pattern) => {
    const world = await serve(express, {
      bulwark: {},
      controllers: [controller(undefined, Get(path))],
    });

    expect((await world.get('/health')).text).toBe(MINE);
    expect(warnings(world)).toContain(
      `/health of Bulwark is never reached: ${pattern}, registered before it, matches it too; import ResilienceModule before the module of that route, or serve /health yourself`,
    );
  });

  it('a raw wildcard is warned of', async () => {
    const world = await serve(express, { bulwark: {}, prepare: (app) => raw(app, '/{*any}') });

    expect((await world.get('/health')).text).toBe(MINE);
    expect(warnings(world)).toHaveLength(3);
  });

  it('a route of one host leaves ours to all others', async () => {
    const world = await serve(express, {
      bulwark: {},
      controllers: [
        controller({ path: 'health', host: 'admin.example' }, Get()),
        controller({ path: 'health', host: 'admin.example' }, Get('*rest')),
      ],
    });

    expect((await world.get('/health')).json).toEqual({ status: 'ok' });
    expect((await world.get('/health/live')).json).toEqual({ status: 'ok' });
    expect(await bodyFor(world, 'admin.example')).toBe(MINE);
    expect(world.log.ours).toEqual([]);
  });

  it('a route of one host that comes after ours is not hidden by it', async () => {
    const mine = controller({ path: 'health', host: 'admin.example' }, Get());
    const world = await serve(express, { bulwark: {}, imports: [moduleWith([mine])] });

    expect(await bodyFor(world, 'admin.example')).toBe(MINE);
  });

  const HARMLESS: [string, () => Setting][] = [
    ['in a module after ours', () => ({ imports: [moduleWith([controller('', Get('*path'))])] })],
    ['elsewhere', () => ({ controllers: [controller('pages', Get('*path'))] })],
    ['of another method', () => ({ controllers: [controller('', Post('*path'))] })],
    ['of other words', () => ({ controllers: [controller('', Get('healthy:rest'))] })],
  ];
  it.each(HARMLESS)('a wildcard %s is not', async (_, setting) => {
    const world = await serve(express, { bulwark: {}, ...setting() });

    expect((await world.get('/health')).json).toEqual({ status: 'ok' });
    expect(world.log.ours).toEqual([]);
  });
});
