// What is counted and closed of a server that is not Node's usual one, such as that of HTTP/2.
import { EventEmitter } from 'node:events';
import { HttpTraffic } from '../../../lib/nest/recovery/shutdown-traffic.js';

class Answer extends EventEmitter {
  headersSent = false;
  shouldKeepAlive = true;
  readonly said: string[] = [];

  writeHead(status: number): void {
    this.said.push(`writeHead ${status}`);
  }

  end(): void {
    this.said.push('end');
    this.emit('close');
  }

  destroy(): void {
    this.said.push('destroy');
    this.emit('close');
  }
}

class Http2Server extends EventEmitter {
  listening = false;
  closed = 0;

  close(): void {
    this.closed += 1;
  }

  arrives(): Answer {
    const answer = new Answer();
    this.emit('request', {}, answer);
    return answer;
  }
}

const serverOf = (): [Http2Server, ReturnType<typeof HttpTraffic.of>] => {
  const server = new Http2Server();
  return [server, HttpTraffic.of({ close: async () => {}, getHttpServer: () => server })];
};

it('requests and connections are counted until they are over', () => {
  const [server, traffic] = serverOf();
  const sockets = [new EventEmitter(), new EventEmitter()];
  for (const socket of sockets) server.emit('connection', socket);
  const [one] = [server.arrives(), server.arrives()];
  expect([traffic.requests, traffic.connections]).toEqual([2, 2]);
  one!.emit('close');
  sockets[0]!.emit('close');

  expect([traffic.requests, traffic.connections]).toEqual([1, 1]);
});

it('a server without connections to close one by one is closed all the same', () => {
  const [server, traffic] = serverOf();
  const [begun, unanswered] = [server.arrives(), server.arrives()];
  begun.headersSent = true;
  traffic.sayGoodbye();
  const later = [server.arrives(), server.arrives()];
  traffic.stop();
  traffic.refuse();
  traffic.disconnect();

  expect(server.closed).toBe(1);
  expect([begun.said, unanswered.said]).toEqual([['destroy'], ['writeHead 503', 'end']]);
  expect(traffic.requests).toBe(0);
  expect(later.map(({ shouldKeepAlive }) => shouldKeepAlive)).toEqual([false, false]);
});

it('an answer that cannot be given any more is broken off', () => {
  const [server, traffic] = serverOf();
  const answer = server.arrives();
  answer.writeHead = () => {
    throw new Error('ERR_HTTP_HEADERS_SENT');
  };
  traffic.refuse();

  expect(answer.said).toEqual(['destroy']);
});

it.each<[string, (() => unknown) | undefined]>([
  ['has no server', undefined],
  ['has none yet', () => undefined],
  ['has something else', () => ({})],
])('an application that %s has no traffic', (_, getHttpServer) => {
  const app = { close: async () => {}, ...(getHttpServer && { getHttpServer }) };
  const traffic = HttpTraffic.of(app);
  for (const step of ['sayGoodbye', 'stop', 'refuse', 'disconnect'] as const) traffic[step]();

  expect([traffic.requests, traffic.connections, traffic.isListening]).toEqual([0, 0, true]);
});
