import { type ErrorClassifier, makeClassifier } from './classifier/classifier.js';

/** What an error is by the table alone. A plain error is transient: it blames the dependency and is worth another attempt. */
export const defaultClassifier: ErrorClassifier = makeClassifier();
