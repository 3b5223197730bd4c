/** A Map that becomes one only with a second entry: most calls change one key of a field, and making a Map costs more than that. */
export class Few<K, V> {
  private hasOne = false;
  private key: K | undefined = undefined;
  private value: V | undefined = undefined;
  private more: Map<K, V> | undefined = undefined;

  get size(): number {
    if (this.more !== undefined) return this.more.size;
    return this.hasOne ? 1 : 0;
  }

  has(key: K): boolean {
    return this.more === undefined ? this.isOnly(key) : this.more.has(key);
  }

  get(key: K): V | undefined {
    if (this.more !== undefined) return this.more.get(key);
    return this.isOnly(key) ? this.value : undefined;
  }

  set(key: K, value: V): void {
    if (this.more === undefined && (!this.hasOne || this.isOnly(key))) {
      this.hasOne = true;
      this.key = (key === 0 ? 0 : key) as K; // of -0 too
      this.value = value;
    } else this.all.set(key, value);
  }

  delete(key: K): void {
    if (this.more !== undefined) this.more.delete(key);
    else if (this.isOnly(key)) this.forget();
  }

  clear(): void {
    if (this.more === undefined) this.forget();
    else this.more.clear();
  }

  forEach(visit: (value: V, key: K) => void): void {
    if (this.more !== undefined) this.more.forEach(visit);
    else if (this.hasOne) visit(this.value as V, this.key as K);
  }

  /** All of it as the Map that it is from now on, to go along. */
  get all(): Map<K, V> {
    if (this.more === undefined) {
      this.more = new Map();
      if (this.hasOne) this.more.set(this.key as K, this.value as V);
      this.forget();
    }
    return this.more;
  }

  copy(): Few<K, V> {
    const copy = new Few<K, V>();
    this.forEach((value, key) => copy.set(key, value));
    return copy;
  }

  private isOnly(key: K): boolean {
    return this.hasOne && sameKey(this.key, key);
  }

  private forget(): void {
    this.hasOne = false;
    this.key = undefined;
    this.value = undefined;
  }
}

/** As keys of a Map are compared: 0 is -0 there, and not a number is itself. */
const sameKey = (one: unknown, other: unknown): boolean =>
  one === other || (one !== one && other !== other);
