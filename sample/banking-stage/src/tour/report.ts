export interface Row {
  readonly name: string;
  readonly must: string;
  readonly is: string;
  readonly ok: boolean;
}

export function atMost(name: string, most: number, value: number, unit = ''): Row {
  return { name, must: `<= ${most}${unit}`, is: `${round(value)}${unit}`, ok: value <= most };
}

export function atLeast(name: string, least: number, value: number, unit = ''): Row {
  return { name, must: `>= ${least}${unit}`, is: `${round(value)}${unit}`, ok: value >= least };
}

export function exactly(name: string, expected: string | number, value: string | number): Row {
  return { name, must: String(expected), is: String(value), ok: value === expected };
}

export function table(rows: readonly Row[]): string {
  const header = { name: 'what', must: 'must be', is: 'is' };
  const width = (column: 'name' | 'must' | 'is'): number =>
    Math.max(...[header, ...rows].map((row) => row[column].length));
  const line = (row: typeof header, mark: string): string =>
    `${row.name.padEnd(width('name'))}  ${row.must.padEnd(width('must'))}  ${row.is.padEnd(width('is'))}  ${mark}`.trimEnd();
  return [
    line(header, ''),
    '-'.repeat(width('name') + width('must') + width('is') + 10),
    ...rows.map((row) => line(row, row.ok ? 'ok' : 'FAILED')),
  ].join('\n');
}

/** Rounded down, so that 99.8999 never reads as 99.9. */
function round(value: number): number {
  return Math.floor(value * 1_000) / 1_000;
}
