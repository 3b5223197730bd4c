import type { ActionEntry, ActionLog } from '../../../lib/recovery/actions/action-log.js';

/** Remembers actions as lines: type, status, who, details. */
export class ActionBook implements Pick<ActionLog, 'record'> {
  readonly entries: ActionEntry[] = [];

  record(entry: ActionEntry): ReturnType<ActionLog['record']> {
    this.entries.push(entry);
    return { id: this.entries.length, at: 0, by: 'code', ...entry };
  }

  get lines(): string[] {
    return this.entries.map(({ type, status, by, details }) =>
      [type, status, by ?? '-', details].join('|'),
    );
  }
}
