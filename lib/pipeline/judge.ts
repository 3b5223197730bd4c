import type { Classification } from '../kernel/classifier.js';

/** Says what an error of an attempt is, and looks at it once however many ask. */
export interface Judge {
  classifyAsIs(error: unknown): Classification;
}
