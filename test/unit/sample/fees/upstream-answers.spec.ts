import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { FeesClient } from '../../../../sample/banking-stage/src/fees/fees.client.js';
import { listen } from '../../../../sample/banking-stage/src/process/listening.js';
import { SETTINGS_DEFAULTS } from '../../../../sample/banking-stage/src/settings.js';
import { alice, bob, pay } from '../people.js';

const QUOTE = '{"fee":1,"verdict":"cleared"}';
const servers: Server[] = [];

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  return listen(server, 0);
}

function quoteFrom(upstreamUrl: string): Promise<unknown> {
  const settings = {
    ...SETTINGS_DEFAULTS,
    upstreamUrl,
    dataDirectory: 'unused',
    allocations: [],
    validator: bob.address,
  };
  return new FeesClient(settings).quote(pay(alice, bob, 1));
}

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

describe('the fees client', () => {
  it('takes a quote', async () => {
    const url = await serve((_, response) => response.end(QUOTE));

    expect(await quoteFrom(url)).toEqual({ fee: 1, verdict: 'cleared' });
  });

  it('does not listen to an answer without end', async () => {
    let hungUp = false;
    const url = await serve((_, response) => {
      const talk = (): void => void (hungUp || response.write(' '.repeat(1_000), talk));
      response.on('close', () => (hungUp = true));
      talk();
    });

    await expect(quoteFrom(url)).rejects.toMatchObject({ status: 502 });
  });

  it('does not take its payments to where an answer sends it', async () => {
    const seen: unknown[] = [];
    const elsewhere = await serve((request, response) => {
      seen.push(request.url);
      response.end(QUOTE);
    });
    const url = await serve((_, response) => {
      response.writeHead(307, { location: `${elsewhere}/quote` }).end();
    });

    await expect(quoteFrom(url)).rejects.toThrow();
    expect(seen).toEqual([]);
  });
});
