import type { LoggerService } from '@nestjs/common';

export interface LogLine {
  readonly level: 'log' | 'warn' | 'error';
  readonly message: string;
  readonly context: unknown;
  readonly rest: readonly unknown[];
}

/** A logger that keeps what it was told. */
export class LogBook implements LoggerService {
  readonly lines: LogLine[] = [];

  log(message: unknown, ...rest: unknown[]): void {
    this.write('log', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }

  /** The lines of this library. */
  get ours(): LogLine[] {
    return this.lines.filter(({ context }) => context === 'Bulwark');
  }

  private write(level: LogLine['level'], message: unknown, rest: unknown[]): void {
    this.lines.push({
      level,
      message: String(message),
      context: rest.at(-1),
      rest: rest.slice(0, -1),
    });
  }
}
