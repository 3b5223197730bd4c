import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { HOST } from '../process/listening.js';

/** The wire from one node to another: it can be cut, and goes to where the other one listens now. */
export class Link {
  /** The port at its far end. */
  target = 0;
  private readonly sockets = new Set<Socket>();
  private isCut = false;

  private constructor(private readonly server: Server) {
    server.on('connection', (near) => this.carry(near));
  }

  static open(): Promise<Link> {
    const server = createServer();
    const link = new Link(server);
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, HOST, () => resolve(link));
    });
  }

  get url(): string {
    return `http://${HOST}:${(this.server.address() as AddressInfo).port}`;
  }

  cut(): void {
    this.isCut = true;
    for (const socket of this.sockets) socket.destroy();
  }

  mend(): void {
    this.isCut = false;
  }

  close(): void {
    this.cut();
    this.server.close();
  }

  private carry(near: Socket): void {
    if (this.isCut || this.target === 0) {
      near.destroy();
      return;
    }
    const far = connect(this.target, HOST);
    const ends = [near, far];
    const end = (): void => {
      for (const socket of ends) {
        socket.destroy();
        this.sockets.delete(socket);
      }
    };
    for (const socket of ends) {
      this.sockets.add(socket);
      socket.on('error', end);
      socket.on('close', end);
    }
    near.pipe(far).pipe(near);
  }
}
