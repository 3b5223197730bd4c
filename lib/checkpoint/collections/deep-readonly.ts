/** What comes out of a durable collection: frozen to its depth, or a copy whose changes go nowhere. */
export type DeepReadonly<T> = T extends
  string | number | bigint | boolean | null | undefined | Date | ArrayBuffer | ArrayBufferView
  ? T
  : T extends readonly (infer E)[]
    ? readonly DeepReadonly<E>[]
    : T extends ReadonlyMap<infer K, infer V>
      ? ReadonlyMap<K, V>
      : T extends ReadonlySet<infer E>
        ? ReadonlySet<E>
        : T extends object
          ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
          : T;
