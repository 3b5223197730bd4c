import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { describeToSwagger } from '../../../lib/nest/recovery/openapi.js';
import { OPERATIONS } from '../../../lib/nest/recovery/access/operations.js';
import { recoveryController } from '../../../lib/nest/recovery/recovery.controller.js';
import { ADAPTERS, closeAll } from '../support/app.js';
import { EVERYTHING, gate } from './gate-host.js';

afterEach(closeAll);

describe.each(ADAPTERS)('the OpenAPI document on %s', (_, adapter) => {
  it('has every route with its level, and the bodies', async () => {
    let document: ReturnType<typeof SwaggerModule.createDocument> | undefined;
    await gate(adapter, EVERYTHING, {
      // where applications do it: before anything is initialised
      prepare: (app) => {
        document = SwaggerModule.createDocument(app, new DocumentBuilder().build());
      },
    });
    const { paths } = document!;

    for (const { method, path, level, summary } of Object.values(OPERATIONS)) {
      const at = `/recovery${path && `/${path.replace(':name', '{name}')}`}`;
      const operation = paths[at]![method.toLowerCase() as 'get' | 'post']!;
      expect([at, operation.summary]).toEqual([at, summary]);
      expect(operation.description).toContain(`Level ${level}`);
      expect(operation.tags).toEqual(['recovery']);
      expect(operation.security).toEqual([{ bearer: [] }]);
    }
    expect(paths['/recovery/corruption/fix']!.post).toMatchObject({
      description: 'Level danger, enabled by `fix` in `recovery.danger`.',
      requestBody: {
        content: {
          'application/json': {
            schema: {
              additionalProperties: false,
              properties: { force_rollback: { type: 'boolean' }, dry_run: { type: 'boolean' } },
            },
          },
        },
      },
    });
    expect(paths['/recovery/errors']!.get!.parameters).toMatchObject([
      { name: 'limit', in: 'query', required: false },
    ]);
    const named = paths['/recovery/circuit-breakers/{name}/reset']!.post!;
    expect(named.parameters).toMatchObject([{ name: 'name', in: 'path' }]);
  });
});

describe('without @nestjs/swagger', () => {
  it.each([
    ['that is not there', () => Promise.reject(new Error('Cannot find package'))],
    ['of another make', async () => ({})],
  ])('one %s is no matter', async (_, load) => {
    await expect(
      describeToSwagger(recoveryController('recovery', []), load),
    ).resolves.toBeUndefined();
  });
});
