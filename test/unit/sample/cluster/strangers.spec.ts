import { mkdtemp, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answerTo, sealHeaders } from '../../../../sample/banking-stage/src/cluster/envelope.js';
import { Gossip } from '../../../../sample/banking-stage/src/cluster/gossip.js';
import { Members } from '../../../../sample/banking-stage/src/cluster/members.js';
import { PeerClient } from '../../../../sample/banking-stage/src/cluster/peer.client.js';
import { PeerController } from '../../../../sample/banking-stage/src/cluster/peer.controller.js';
import { Rotation } from '../../../../sample/banking-stage/src/consensus/rotation.js';
import { sharedSecret } from '../../../../sample/banking-stage/src/ensemble/shared-secret.js';
import { keyPairFrom } from '../../../../sample/banking-stage/src/keys/key-pair.js';
import { listen } from '../../../../sample/banking-stage/src/process/listening.js';
import { CLUSTER_DEFAULTS } from '../../../../sample/banking-stage/src/settings.js';
import { validatorKeys } from './cluster-node.js';

const NAMES = ['one', 'two', 'three'];
const [one, two] = validatorKeys;
const signal = new AbortController().signal;
const servers: Server[] = [];

function membersOf(self: string, url = 'none'): Members {
  const validators = NAMES.map((name, at) => ({ name, address: validatorKeys[at]!.address, url }));
  const cluster = { ...CLUSTER_DEFAULTS, self, secret: `test/${self}`, validators };
  return new Members({ cluster } as never);
}

/** Asks the validator `two` at whatever listens where it should, `one` does. */
async function asking(
  reply: (request: IncomingMessage, body: string) => [string, Record<string, string>],
): Promise<() => Promise<unknown>> {
  const server = createServer(async (request, response) => {
    const body = String(Buffer.concat(await request.toArray()));
    const [answer, headers] = reply(request, body);
    response.writeHead(200, headers).end(answer);
  });
  servers.push(server);
  const members = membersOf('one', await listen(server, 0));
  const client = new PeerClient(members, {} as never);
  return () => client.send(members.all[1]!, 'promise', { slot: { height: 1, round: 2 } }, signal);
}

const signatureOf = ({ headers }: IncomingMessage): string => String(headers['x-signature']);

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

describe('where a stranger listens in the place of a validator', () => {
  // With a promise that nobody gave, a leader may propose another block than the one that was decided.
  it.each([
    ['nobody signed', () => ({})],
    ['a stranger signed', (about: string) => sealHeaders(about, PROMISED, keyPairFrom('stranger'))],
    ['another validator signed', (about: string) => sealHeaders(about, PROMISED, one!)],
    ['it signed for another question', () => sealHeaders(answerTo('a'), PROMISED, two!)],
    ['it signed, in other words', (about: string) => sealHeaders(about, '{"ok":false}', two!)],
  ])('an answer that %s is none', async (_, headers) => {
    const ask = await asking((request) => [PROMISED, headers(answerTo(signatureOf(request)))]);

    await expect(ask()).rejects.toThrow('it is not two that answers promise');
  });

  it('an answer that the validator signed for this question is one', async () => {
    const ask = await asking((request) => [
      PROMISED,
      sealHeaders(answerTo(signatureOf(request)), PROMISED, two!),
    ]);

    expect(await ask()).toEqual({ ok: true });
  });
});

const PROMISED = '{"ok":true}';

describe('what a stranger sends to a validator', () => {
  it.each([
    ['nobody signed', {}],
    ['a stranger signed', sealHeaders('status', '{}', keyPairFrom('stranger'))],
    ['a validator signed for another verb', sealHeaders('blocks', '{}', one!)],
  ])('is refused before any of it is read where %s', async (_, headers) => {
    const controller = new PeerController(membersOf('two'), {} as never);
    const request = { headers, on: unread, once: unread };

    await expect(controller.post('status', request as never, {} as never)).rejects.toThrow(
      'not signed by a validator',
    );
  });

  it('is refused where it is other than what was signed', async () => {
    const controller = new PeerController(membersOf('two'), {} as never);
    const server = createServer((request, response) => {
      const answered = controller.post('status', request, {} as never);
      answered.catch((error: Error) => response.end(error.message));
    });
    servers.push(server);

    const headers = sealHeaders('status', '{}', one!);
    const answer = await fetch(await listen(server, 0), { method: 'POST', headers, body: '{ }' });

    expect(await answer.text()).toBe('that is not what was signed');
  });
});

function unread(): never {
  throw new Error('it is read');
}

describe('the keys of a cluster', () => {
  it('are made from what nobody else can know, and are the same at the next start', async () => {
    const [directory, other] = [await made(), await made()];
    const secret = await sharedSecret(directory);

    expect(await sharedSecret(directory)).toBe(secret);
    expect(await sharedSecret(other)).not.toBe(secret);
    expect((await stat(join(directory, 'validators.secret'))).mode & 0o077).toBe(0);
    await Promise.all([directory, other].map((path) => rm(path, { recursive: true })));
  });
});

function made(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'banking-secret-'));
}

describe('a validator that says what cannot be', () => {
  it('holds up nobody by how far it says it is', () => {
    const rotation = new Rotation({
      self: 0,
      validators: 3,
      patience: 1,
      random: () => 0,
      isAway: () => false,
    });
    expect(rotation.turn({ height: 1, promised: 0 }, 0)).toBeUndefined();
    for (const promised of [NaN, Infinity, 'far', undefined]) rotation.refused(promised as never);
    rotation.refused(2 ** 52);

    const round = rotation.turn({ height: 1, promised: 0 }, 10)!;

    expect(round).toBeGreaterThan(2 ** 52);
    expect((1 + round) % 3).toBe(0);
  });

  it.each([null, {}, { known: 5 }])(
    'and knows %j of what it is told is told again',
    async (said) => {
      const peer = membersOf('one').all[1]!;
      let asked = 0;
      const ask = async (): Promise<unknown> => {
        asked += 1;
        return said;
      };
      const gossip = new Gossip(
        {} as never,
        { size: 1, oldest: () => [{ id: 'a' }] } as never,
        { inReach: [peer], ask } as never,
      );
      const tick = (Reflect.get(gossip, 'tick') as () => void).bind(gossip);
      tick();
      await new Promise(setImmediate);
      tick();

      expect(asked).toBe(2);
    },
  );
});
