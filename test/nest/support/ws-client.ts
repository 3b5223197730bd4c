import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';

interface Socket extends EventEmitter {
  send(text: string): void;
  close(): void;
}

/** The client of the `ws` package that the platform brings along; Node 20 has none of its own. */
export const WebSocket = createRequire(
  createRequire(import.meta.url).resolve('@nestjs/platform-ws'),
)('ws') as new (url: string) => Socket;

/** An open connection. */
export async function connectTo(url: string): Promise<Socket> {
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return socket;
}

/** Sends a message and collects this many answers. */
export async function ask(
  socket: Socket,
  event: string,
  data: unknown,
  answers = 1,
): Promise<unknown[]> {
  const heard: unknown[] = [];
  const all = new Promise<void>((resolve) => {
    const listen = (message: Buffer): void => {
      heard.push(JSON.parse(message.toString()));
      if (heard.length < answers) return;
      socket.off('message', listen);
      resolve();
    };
    socket.on('message', listen);
  });
  socket.send(JSON.stringify({ event, data }));
  await all;
  return heard;
}
export type { Socket };
