import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Announcement } from './announcement.js';

const START_DEADLINE_MS = 30_000;
const STOP_DEADLINE_MS = 5_000;
const LINES_KEPT = 40;

/** A process of ours that announces where it listens. */
export class Child {
  readonly listeners: ((announcement: Announcement) => void)[] = [];
  /** Its last words, for when it dies. */
  readonly output: string[] = [];
  private readonly exited: Promise<unknown>;

  private constructor(
    readonly name: string,
    private readonly process: ChildProcess,
  ) {
    this.exited = once(process, 'exit');
    const keep = (chunk: Buffer): void => {
      this.output.push(...String(chunk).trimEnd().split('\n'));
      this.output.splice(0, this.output.length - LINES_KEPT);
    };
    process.stdout?.on('data', keep);
    process.stderr?.on('data', keep);
    process.on('message', (message) => {
      for (const listener of this.listeners) listener(message as Announcement);
    });
  }

  static start(name: string, script: URL, env: Readonly<Record<string, string>>): Child {
    const started = fork(script, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const child = new Child(name, started);
    // Whatever ends this process, it takes its children along.
    const takeAlong = (): void => void started.kill('SIGKILL');
    // first of all: then nobody writes any more where others tidy up
    process.prependOnceListener('exit', takeAlong);
    started.once('exit', () => process.off('exit', takeAlong));
    return child;
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  get running(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  /** Resolves to its URL; rejects when it says it failed, dies or says nothing. */
  listening(): Promise<string> {
    return new Promise((resolve, reject) => {
      const fail = (problem: string): void => reject(new Error(`${this.name}: ${problem}`));
      const timer = setTimeout(() => fail('it does not start'), START_DEADLINE_MS);
      this.listeners.push((announcement) => {
        clearTimeout(timer);
        if (announcement.type === 'listening') resolve(announcement.url);
        if (announcement.type === 'failed') fail(announcement.problem);
      });
      this.process.once('error', (error) => fail(String(error)));
      this.process.once('exit', (code) => {
        clearTimeout(timer);
        fail(`it ended with code ${code}\n${this.output.slice(-20).join('\n')}`);
      });
    });
  }

  onExit(listener: () => void): void {
    this.process.once('exit', listener);
  }

  /** Says something to it; resolves to its next announcement of this kind. */
  ask<T extends Announcement['type']>(
    message: string,
    type: T,
  ): Promise<Extract<Announcement, { type: T }>> {
    return new Promise((resolve, reject) => {
      this.process.once('exit', () => reject(new Error(`${this.name}: it ended`)));
      this.listeners.push((announcement) => {
        if (announcement.type === type) resolve(announcement as never);
      });
      this.process.send(message);
    });
  }

  /** At once: it gets no chance to put anything in order. */
  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.exited;
  }

  /** SIGSTOP, which no process can do anything about, and SIGCONT. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.process.kill(signal);
  }

  async stop(): Promise<void> {
    if (!this.running) return;
    this.process.kill('SIGTERM');
    const timer = setTimeout(() => this.process.kill('SIGKILL'), STOP_DEADLINE_MS);
    await this.exited;
    clearTimeout(timer);
  }
}
