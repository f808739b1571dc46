// What the run itself has made: ids by the collection they live in, learned from the answers, so that deep states are reached.
import type { Caller } from './callers.ts'
import type { Draft } from './request.ts'
import { livingPattern } from './sound.ts'

const nobodysId = '019d0000-0000-7000-8000-000000000000'
const kept = 60

/** Makes an empty pool. */
export const createPool = () => {
  const byCollection = new Map<string, string[]>()
  const add = (collection: string, id: string) => {
    const ids = byCollection.get(collection) ?? []
    if (ids.includes(id)) return
    byCollection.set(collection, [...ids, id].slice(-kept))
  }
  const at = (collection: string, pick: number): string | undefined => {
    const ids = byCollection.get(collection) ?? []
    // The newest half of the time: they are more often alive, and the caller's own.
    return pick % 2 === 0 ? ids.at(-1 - ((pick >> 1) % 4)) : ids[(pick >> 1) % ids.length]
  }

  /** A living address under a template: the collection first, then one of its members. */
  const address = (segments: readonly string[], { pick, parts, caller }: { pick: number; parts: Draft['parts']; caller: Caller }): string => {
    const last = segments.findLastIndex(segment => segment.startsWith('{'))
    if (last < 0) return segments.map(segment => `/${segment}`).join('')
    const tail = segments
      .slice(last + 1)
      .map(segment => `/${segment}`)
      .join('')
    const before = segments.slice(0, last)
    const wrong = parts.at(-1)
    const rest = { pick, caller, parts: parts.slice(0, -1) }
    const isSpoilt = parts.some(part => part !== undefined)
    const known = isSpoilt ? [] : collectionsLike(before, caller)
    const collection = known[pick % (known.length || 1)] ?? address(before, rest)
    const own = before.length === 1 && before[0] === 'organizations' && pick % 3 > 0 ? caller.organizationId : undefined
    return `${collection}/${wrong ?? own ?? at(collection, pick >> 3) ?? nobodysId}${tail}`
  }

  // Those of the caller's own organization, where there are any.
  const collectionsLike = (segments: readonly string[], { organizationId }: Caller) => {
    const pattern = new RegExp(`^${segments.map(segment => (segment.startsWith('{') ? '/[^/]+' : `/${segment}`)).join('')}$`)
    const all = [...byCollection.keys()].filter(collection => pattern.test(collection))
    const own = all.filter(collection => organizationId !== undefined && collection.includes(organizationId))
    return own.length > 0 ? own : all
  }

  const standing = (kind: string, pick: number, caller: Caller): string => {
    if (kind === 'organizations' && pick % 2 === 0 && caller.organizationId !== undefined) return caller.organizationId
    const like = [...byCollection.keys()].filter(collection => collection === kind || collection.endsWith(`/${kind}`))
    return at(like[pick % (like.length || 1)] ?? '', pick) ?? nobodysId
  }

  return {
    add,
    address: (draft: Draft, caller: Caller) => address(draft.operation.path.split('/').filter(Boolean), { pick: draft.pick, parts: draft.parts, caller }),
    /** Puts living things where a text names them. */
    filled: (text: string, caller: Caller) => text.replaceAll(livingPattern, (_all, kind: string, pick: string) => standing(kind, Number(pick), caller)),
    /** Learns from an answer that was kept. */
    learn: ({ path, data, meta, etag }: { path: string; data: unknown; meta: unknown; etag?: string }) => {
      if (etag !== undefined) add('etag', etag)
      if (isRecord(meta) && typeof meta.next_cursor === 'string') add('cursor', meta.next_cursor)
      for (const { id, email } of thingsOf(data)) {
        if (id !== undefined) add(path, id)
        if (email !== undefined) add('email', email)
      }
    },
  }
}

/** The pool of a run. */
export type Pool = ReturnType<typeof createPool>

type Members = Readonly<Record<string, unknown>>
const isRecord = (value: unknown): value is Members => typeof value === 'object' && value !== null && !Array.isArray(value)
const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined)

// A thing, a list of things, or a thing beside its secret.
const thingsOf = (data: unknown): readonly { id?: string; email?: string }[] => {
  const told = Array.isArray(data) ? data : isRecord(data) ? [data, ...Object.values(data)] : []
  return told.filter(isRecord).map(one => ({ id: textOf(one.id ?? one.user_id), email: textOf(one.email) }))
}
