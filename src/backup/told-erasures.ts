// Reads who and what was deleted out of an export of the audit log, for where the database that knew of it is lost.
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { z } from 'zod'
import { restorableSince } from '../platform/data/restorable.ts'
import { BackupError } from './backup.ts'
import type { Erasure } from './erasures.ts'
import { readWhole } from './files.ts'

const eventSchema = z.object({
  action: z.string(),
  occurred_at: z.iso.datetime(),
  outcome: z.string(),
  target: z.object({ type: z.string(), id: z.string().nullable() }),
})
type Told = z.output<typeof eventSchema>

const telling = /^(user|organization)\.(deleted|restored|purged)$/

/** Reads it: a line of JSON an event, in any order. Throws a BackupError `file_missing`, `file_unreadable` or `export_unreadable`. */
export async function readToldErasures(path: string): Promise<readonly Erasure[]> {
  const events: Told[] = []
  let number = 0
  for await (const line of createInterface({ input: Readable.from(readWhole(path)), crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1
    if (line.trim() === '') continue
    const event = eventSchema.safeParse(parsed(line))
    if (!event.success) throw new BackupError('export_unreadable', `Line ${number} of ${path} is no event of the audit log, as its export writes them.`)
    if (event.data.outcome === 'kept' && telling.test(event.data.action)) events.push(event.data)
  }
  return erasuresOf(events)
}

const erasuresOf = (events: readonly Told[]): readonly Erasure[] => {
  const erasures = new Map<string, Erasure>()
  for (const { action, occurred_at, target } of events.toSorted((a, b) => Date.parse(a.occurred_at) - Date.parse(b.occurred_at))) {
    const [, kind, what] = telling.exec(action) ?? []
    if (target.id === null || (kind !== 'user' && kind !== 'organization')) continue
    const at = new Date(occurred_at)
    if (what === 'restored') erasures.delete(target.id)
    else erasures.set(target.id, { kind, id: target.id, deletedAt: what === 'purged' ? restorableSince(at) : at })
  }
  return [...erasures.values()]
}

const parsed = (line: string): unknown => {
  try {
    return JSON.parse(line)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
