// What is asked of an upstream provider for its administrator: whether it answers, and what its metadata says.
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import type { Database } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import type { MakeLimit } from '../platform/http/limit.ts'
import type { Log } from '../platform/log.ts'
import { type ConnectionKey, findConnectionRow } from './administered.ts'
import { causesOf, tellFindings } from './cause.ts'
import type { OpenRow } from './configured.ts'
import type { Finding } from './connector.ts'
import type { Connectors } from './list.ts'

/** A document of a provider's: itself, or where it is. */
export interface MetadataSource {
  readonly document?: string | undefined
  readonly url?: string | undefined
}

/** Asks providers. Each throws `too_many_attempts`: whoever may ask us to connect elsewhere does not do it endlessly. */
export interface Probe {
  /** Tests a connection, also one that is disabled. Throws `not_found`. */
  test(actor: Actor, key: ConnectionKey): Promise<readonly Finding[]>
  /** The settings that a document says. Throws `validation_failed`. */
  readMetadata(actor: Actor, source: MetadataSource & { readonly connector: string }): Promise<Readonly<Record<string, unknown>>>
}

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly connectors: Connectors
  readonly openRow: OpenRow
  /** Goes to public addresses alone, follows no redirect, and bounds size and time. */
  readonly fetch: typeof fetch
  readonly limit: MakeLimit
  readonly log: Log
}

/** Makes it: thirty times an hour for a caller. */
export const createProbe = ({ database, change, connectors, openRow, fetch, limit, log }: Needs): Probe => {
  const byCaller = limit('connection-probe', { points: 30, durationSeconds: 3600 })
  const admit = ({ kind, id = '', ip = '' }: Actor) => byCaller.consume([kind, id || ip].join(' '))
  const read = async (url: string): Promise<string> => {
    try {
      const answer = await fetch(url)
      if (answer.status !== 200) throw new Error(`the answer was ${answer.status}`)
      return await answer.text()
    } catch (error) {
      // Whether it was refused, hung up or not there tells of a network that is none of the caller's business: it is told to the log alone.
      log.warn({ causes: causesOf(error) }, 'metadata of another provider cannot be read')
      throw fault('metadata_url', 'cannot be read', error)
    }
  }
  return {
    test: async (actor, key) => {
      await admit(actor)
      const row = await findConnectionRow(database.prisma, key)
      const open = openRow(row)
      const findings = open ? await open.connector.test(open.configured) : [{ check: 'settings', isGood: false, detail: 'The settings are not whole.' }]
      tellFindings(log, row.id, findings)
      await change(actor, async (_tx, record) =>
        record('connection.tested', { ...row, is_good: findings.every(({ isGood }) => isGood) }, { organizationId: key.organizationId }),
      )
      return findings
    },
    readMetadata: async (actor, { connector, document, url }) => {
      const kind = connectors.get(connector)
      const path = document === undefined ? 'metadata_url' : 'metadata_xml'
      if (!kind?.readSettings) throw fault(path, 'is nothing that this connector reads')
      if (document !== undefined) return toRecord(kind.readSettings(document))
      await admit(actor)
      return toRecord(kind.readSettings(await read(url ?? '')))
    },
  }
}

const fault = (path: string, message: string, cause?: unknown) => new Problem('validation_failed', { fields: [{ path, message }], cause })

const toRecord = (settings: unknown): Readonly<Record<string, unknown>> => JSON.parse(JSON.stringify(settings))
