import { Controller, Get, StreamableFile, UseInterceptors } from '@nestjs/common';
import { Bulkhead, BulkheadInterceptor, ResilienceRegistry } from 'nestjs-bulwark';
import { PassThrough } from 'node:stream';
import { ADAPTERS, closeAll, serve } from './support/app.js';

afterEach(closeAll);

const one = { maxConcurrent: 1, maxQueue: 0 };
let bytes: PassThrough;

@Controller('files')
class Files {
  @Get('decorated')
  @Bulkhead(one)
  async decorated(): Promise<StreamableFile> {
    return new StreamableFile(bytes);
  }

  @Get('intercepted')
  @UseInterceptors(BulkheadInterceptor.with(one))
  async intercepted(): Promise<StreamableFile> {
    return new StreamableFile(bytes);
  }
}

// what the README says of it: the slot is for the handler, not for the transfer
describe.each(ADAPTERS)('a StreamableFile on %s', (_, adapter) => {
  it.each(['decorated', 'intercepted'])('%s arrives whole, after its slot is free', async (way) => {
    const { app } = await serve(adapter, { controllers: [Files] });
    bytes = new PassThrough();
    bytes.write('first ');

    const response = await fetch(`${await app.getUrl()}/files/${way}`);
    const slots = app.get(ResilienceRegistry).bulkheads.reader(`Files.${way}`)!;
    expect(slots.snapshot().running).toBe(0);
    bytes.end('last');

    expect(await response.text()).toBe('first last');
  });
});
