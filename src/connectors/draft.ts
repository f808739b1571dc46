// What an administrator says a connection is, checked by its connector: settings that it takes, and secrets that go nowhere new.
import type { z } from 'zod'
import { Problem } from '../platform/errors.ts'
import { faultsOf } from '../platform/http/faults.ts'
import { isAnotherAuthority } from './authority.ts'
import type { Connector } from './connector.ts'

type Given = Readonly<Record<string, unknown>>

/** Seals the secrets of a connection. */
export type Seal = (connectionId: string, secrets: Given) => string

/** What is said anew; what is not stays. */
export interface Drafted {
  readonly settings?: Given | undefined
  readonly secrets?: Given | undefined
}

/** What was there before. */
export interface DraftedRow {
  readonly id: string
  readonly connector: string
  readonly settings: unknown
  readonly secrets: string | null
}

/**
 * The columns of it. Throws `validation_failed` for what the connector does not take, and `secrets_required` where settings lead to
 * an authority that the kept secrets were not given for: whoever may change settings but was never told the secrets would have them sent
 * to an address of their own.
 */
export const draftOf = (
  connector: Connector | undefined,
  row: DraftedRow,
  { settings, secrets, seal, now }: Drafted & { readonly seal: Seal; readonly now: Date },
) => {
  if (settings === undefined && secrets === undefined) return {}
  if (!connector) throw new Problem('validation_failed', { fields: [{ path: 'connector', message: 'is not known here' }] })
  const readSettings = settings && parsed(connector.settings, { given: settings, path: 'settings' })
  const readSecrets = secrets && parsed(connector.secrets, { given: secrets, path: 'secrets' })
  if (readSettings && !readSecrets && row.secrets !== null) mustNotTravel(connector, { before: row.settings, after: readSettings })
  const names = Object.keys(readSecrets ?? {})
  return {
    ...(readSettings === undefined ? {} : { settings: readSettings }),
    ...(readSecrets === undefined
      ? {}
      : {
          secrets: names.length === 0 ? null : seal(row.id, readSecrets),
          secretsSetAt: Object.fromEntries(names.map(name => [name, now.toISOString()])),
        }),
  }
}

const mustNotTravel = (connector: Connector, moved: { readonly before: unknown; readonly after: unknown }) => {
  if (!isAnotherAuthority(connector, moved)) return
  throw new Problem('secrets_required', { fields: [{ path: 'secrets', message: 'are needed again, for the settings lead to another place' }] })
}

// What is kept is what is read again: plain JSON.
const parsed = (schema: z.ZodType, { given, path }: { readonly given: Given; readonly path: string }) => {
  const result = schema.safeParse(given)
  if (result.success) return JSON.parse(JSON.stringify(result.data))
  throw new Problem('validation_failed', {
    fields: faultsOf(result.error.issues).map(fault => ({ path: [path, ...fault.path].join('.'), message: fault.message })),
  })
}
