import type { CheckpointStore } from '../checkpoint-store.js';
import type { Component } from '../component/component.js';
import type { Codec } from '../value/codec.js';
import type { Values } from '../value/values.js';

/** What reading states takes. */
export interface Reading {
  readonly store: CheckpointStore;
  readonly codec: Codec;
  readonly values: Values;
  readonly components: ReadonlyMap<string, Component>;
}
