// Remembers what rarely changes, bounded in number, each key loaded once at a time: for a moment, or until a change is told of.
import type { ChangedTarget, ChangeFeed, ToldKind } from './change-feed.ts'

/** A memory of loaded values. */
export interface Memo<Value> {
  get(key: string): Promise<Value>
  forget(key: string): void
}

/** What ends values before their time, so that they may be kept for longer. */
export interface MemoEnds {
  readonly feed: Pick<ChangeFeed, 'on' | 'isCurrent'>
  /** For each kind of target the key of what a change of one ends; `undefined`: everything. */
  readonly by: { readonly [Kind in ToldKind]?: (target: ChangedTarget['target']) => unknown }
}

interface Options<Value> {
  readonly ttlMilliseconds: number
  readonly now: () => Date
  readonly load: (key: string) => Promise<Value>
  readonly maxEntries?: number
  readonly ends?: MemoEnds | undefined
}

// However well the feed tells: what was changed by hand, past every change of ours, is seen after so long.
const longestMilliseconds = 10_000

/**
 * Makes a memory. A value is at most `ttlMilliseconds` older than the truth; with `ends`, whose feed tells of changes within that time, it is
 * loaded anew only when it was changed, or after ten seconds. A failed load is not remembered; the oldest entry leaves when it is full.
 */
export const createMemo = <Value>({ ttlMilliseconds, now, load, maxEntries = 10_000, ends }: Options<Value>): Memo<Value> => {
  const entries = new Map<string, { value: Promise<Value>; since: number }>()
  if (ends) forgetWhatEnds(ends, entries)
  // A clock that was set back tells no age.
  const isGood = (age: number) => age >= 0 && (age < ttlMilliseconds || (age < longestMilliseconds && ends?.feed.isCurrent() === true))
  return {
    get: key => {
      const at = now().getTime()
      const known = entries.get(key)
      if (known && isGood(at - known.since)) return known.value
      const entry = { value: load(key), since: at }
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

// A load that is under way is forgotten too: it may have read what was before the change.
const forgetWhatEnds = ({ feed, by }: MemoEnds, entries: Map<string, unknown>) => {
  for (const [kind, keyOf] of Object.entries(by) as [ToldKind, (target: ChangedTarget['target']) => unknown][])
    feed.on([kind], target => {
      const key = target && keyOf(target)
      if (typeof key === 'string') entries.delete(key)
      else entries.clear()
    })
}
