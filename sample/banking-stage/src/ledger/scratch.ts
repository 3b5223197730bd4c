/** A map over another one, which it reads and never changes. */
export class Scratch<K, V> {
  private readonly own = new Map<K, V | undefined>();

  constructor(private readonly under: { get(key: K): V | undefined }) {}

  get(key: K): V | undefined {
    return this.own.has(key) ? this.own.get(key) : this.under.get(key);
  }

  set(key: K, value: V): void {
    this.own.set(key, value);
  }

  delete(key: K): void {
    this.own.set(key, undefined);
  }
}
