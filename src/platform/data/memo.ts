// Remembers what rarely changes for a moment, bounded in number, each key loaded once at a time.

/** A memory of loaded values. */
export interface Memo<Value> {
  get(key: string): Promise<Value>
  forget(key: string): void
}

interface Options<Value> {
  readonly ttlMilliseconds: number
  readonly now: () => Date
  readonly load: (key: string) => Promise<Value>
  readonly maxEntries?: number
}

/** Makes a memory. A failed load is not remembered; the oldest entry leaves when it is full. */
export const createMemo = <Value>({ ttlMilliseconds, now, load, maxEntries = 10_000 }: Options<Value>): Memo<Value> => {
  const entries = new Map<string, { value: Promise<Value>; until: number }>()
  return {
    get: key => {
      const at = now().getTime()
      const known = entries.get(key)
      if (known && known.until > at) return known.value
      const entry = { value: load(key), until: at + ttlMilliseconds }
      entries.delete(key)
      entries.set(key, entry)
      if (entries.size > maxEntries) entries.delete(entries.keys().next().value ?? key)
      entry.value.catch(() => entries.get(key) === entry && entries.delete(key))
      return entry.value
    },
    forget: key => {
      entries.delete(key)
    },
  }
}
