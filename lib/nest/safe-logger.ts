import { Logger, type LoggerService } from '@nestjs/common';
import { ignore } from '../kernel/ignore.js';

/** The application's logger, of which no failure comes back: Nest drops what an async one answers. */
export class SafeLogger extends Logger {
  override get localInstance(): LoggerService {
    const real = super.localInstance;
    const safe =
      (level: 'log' | 'warn' | 'error') =>
      (...given: [message: unknown, ...rest: unknown[]]): void => {
        try {
          ignore(real[level](...given));
        } catch {
          // a logger that throws has nobody left to tell
        }
      };
    return { log: safe('log'), warn: safe('warn'), error: safe('error') };
  }
}
