import type { Block } from './block.js';

/**
 * Whether something looks like a block, so far that it can be looked into. What comes from a
 * stranger, or from memory that has rotted, may be anything at all.
 */
export function isBlock(value: unknown): value is Block {
  if (!isRecord(value)) return false;
  const { allocations, entries, timestamp } = value;
  return isRecords(allocations) && isRecords(entries) && Number.isSafeInteger(timestamp);
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isRecords(value: unknown): boolean {
  // Array.from, not every: a hole must not be skipped.
  return Array.isArray(value) && Array.from(value).every(isRecord);
}
