// The domains of organizations: claimed by any, proven by one alone, through a TXT record.
import type { Actor } from '../platform/actor.ts'
import type { Change, RecordEvent } from '../platform/data/change.ts'
import type { Database, TransactionClient } from '../platform/data/database.ts'
import { type Found, type PageRequest, pageOf } from '../platform/data/page.ts'
import type { ResolveTxt } from '../platform/dns.ts'
import { Problem } from '../platform/errors.ts'
import type { MakeLimit } from '../platform/http/limit.ts'
import type { EndSessionsOfIdentities } from '../sessions/endings.ts'
import type { UnproveEmails } from '../users/unprove-emails.ts'
import { challengeName, type Domain, type DomainKey, type DomainRow, toDomain } from './domain.ts'
import { isEverybodys, normalizeDomain } from './domain-name.ts'
import { unlinkOfDomain } from './new-owner.ts'

const maxDomains = 100

/** The domains of organizations. Each throws `not_found` for one that is not there. */
export interface Domains {
  list(organizationId: string, page: PageRequest): Promise<Found<Domain>>
  get(key: DomainKey): Promise<Domain>
  /**
   * Throws `validation_failed` for what is no domain or nobody's own, and for no connection of the organization, `domain_taken` for one
   * that it has already, and `too_many_domains` beyond a hundred.
   */
  create(actor: Actor, domain: { readonly organizationId: string; readonly domain: string; readonly connectionId?: string | undefined }): Promise<Domain>
  /** Says whom its addresses are sent to; `null`: the organization's first connection. `expect` is called with what is about to be changed. */
  update(actor: Actor, key: DomainKey, changes: { readonly connectionId: string | null; readonly expect?: Expect }): Promise<Domain>
  /** `expect` is called with what is about to be removed. */
  remove(actor: Actor, key: DomainKey, options?: { readonly expect?: Expect }): Promise<void>
  /**
   * Looks for the record; whom other organizations' connections know of the domain is unlinked. Throws `domain_not_proven` where it does not say the token and nothing else, `domain_taken` where another
   * organization has proven the domain, `dns_unavailable`, and `too_many_attempts`.
   */
  verify(actor: Actor, key: DomainKey): Promise<Domain>
}

type Expect = (domain: Domain) => void

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly lockOrganization: (tx: TransactionClient, id: string) => Promise<unknown>
  readonly resolveTxt: ResolveTxt
  readonly limit: MakeLimit
  readonly randomBytes: (size: number) => Buffer
  readonly endSessions: EndSessionsOfIdentities
  readonly unproveEmails: UnproveEmails
  readonly now: () => Date
}

/** Makes the service. A hundred looks an hour and organization. */
export const createDomains = ({ database, change, lockOrganization, resolveTxt, limit, randomBytes, endSessions, unproveEmails, now }: Needs): Domains => {
  const looks = limit('domain-verification', { points: 100, durationSeconds: 3600 })
  const find = async (tx: Pick<TransactionClient, 'organizationDomain'>, key: DomainKey): Promise<DomainRow> => {
    const row = await tx.organizationDomain.findFirst({ where: { ...key } })
    if (!row) throw new Problem('not_found')
    return row
  }

  return {
    list: async (organizationId, page) => {
      const where = { organizationId }
      const [rows, total] = await Promise.all([
        database.prisma.organizationDomain.findMany(pageOf(where, page)),
        database.prisma.organizationDomain.count({ where }),
      ])
      return { rows: rows.map(toDomain), total }
    },
    get: async key => toDomain(await find(database.prisma, key)),
    create: (actor, { organizationId, domain: given, connectionId }) => {
      const domain = ownDomain(given)
      return change(actor, async (tx, record) => {
        await lockOrganization(tx, organizationId)
        if ((await tx.organizationDomain.count({ where: { organizationId } })) >= maxDomains) throw new Problem('too_many_domains')
        await mustBeOfOrganization(tx, { connectionId, organizationId })
        const token = randomBytes(32).toString('base64url')
        const row = await tx.organizationDomain.create({ data: { organizationId, domain, token, connectionId } })
        record('domain.created', told(row), { organizationId })
        return toDomain(row)
      })
    },
    update: (actor, key, { connectionId, expect }) =>
      change(actor, async (tx, record) => {
        await lockOrganization(tx, key.organizationId)
        const before = await find(tx, key)
        expect?.(toDomain(before))
        await mustBeOfOrganization(tx, { connectionId, organizationId: key.organizationId })
        const row = await tx.organizationDomain.update({ where: { ...key }, data: { connectionId } })
        record('domain.updated', told(row), { organizationId: key.organizationId })
        return toDomain(row)
      }),
    remove: (actor, key, { expect } = {}) =>
      change(actor, async (tx, record) => {
        await lockOrganization(tx, key.organizationId)
        const row = await find(tx, key)
        expect?.(toDomain(row))
        await tx.organizationDomain.delete({ where: { ...key } })
        record('domain.deleted', told(row), { organizationId: key.organizationId })
      }),
    verify: async (actor, key) => {
      const { domain, token } = await find(database.prisma, key)
      await looks.consume(key.organizationId)
      if (!(await isProven(resolveTxt, { domain, token }))) throw new Problem('domain_not_proven')
      const seen = { checkedAt: now(), missingSince: null }
      // Proven already: it was looked at again, and nothing is new.
      const [known] = await database.prisma.organizationDomain.updateManyAndReturn({ where: { ...key, verifiedAt: { not: null } }, data: seen })
      if (known) return toDomain(known)
      return change(actor, async (tx, record) => {
        await lockOrganization(tx, key.organizationId)
        await releaseFromDeleted(tx, { domain, record })
        // The index on proven domains decides between organizations. The token is compared: one that was removed and added again has another.
        const [row] = await tx.organizationDomain.updateManyAndReturn({ where: { ...key, token }, data: { ...seen, verifiedAt: now() } })
        if (!row) throw new Problem('not_found')
        await unlinkOfDomain({ tx, record, endSessions, unproveEmails }, { domain, organizationId: key.organizationId })
        record('domain.proven', told(row), { organizationId: key.organizationId })
        return toDomain(row)
      })
    },
  }
}

// An organization that is deleted speaks for nobody, and holds nothing against those that live.
const releaseFromDeleted = async (tx: TransactionClient, { domain, record }: { domain: string; record: RecordEvent }) => {
  const where = { domain, verifiedAt: { not: null }, organization: { deletedAt: { not: null } } }
  const rows = await tx.organizationDomain.updateManyAndReturn({ where, data: { verifiedAt: null, missingSince: null } })
  for (const row of rows) record('domain.unproven', told(row), { organizationId: row.organizationId })
}

/** Whether one of the records is the token and nothing else. */
export const isProven = async (resolveTxt: ResolveTxt, { domain, token }: { readonly domain: string; readonly token: string }): Promise<boolean> =>
  (await resolveTxt(challengeName(domain))).includes(token)

/** What an event tells of a row. */
export const told = ({ id, domain, connectionId }: Pick<DomainRow, 'id' | 'domain' | 'connectionId'>) => ({ id, domain, connection_id: connectionId })

const ownDomain = (given: string): string => {
  const domain = normalizeDomain(given)
  if (domain === undefined) throw fault('domain', 'is no domain such as example.com')
  if (isEverybodys(domain)) throw fault('domain', 'is everybody’s: nobody can prove that it is theirs alone')
  return domain
}

const mustBeOfOrganization = async (
  tx: TransactionClient,
  { connectionId, organizationId }: { connectionId: string | null | undefined; organizationId: string },
) => {
  if (connectionId === null || connectionId === undefined) return
  if ((await tx.connection.count({ where: { id: connectionId, organizationId, deletedAt: null } })) === 0)
    throw fault('connection_id', 'is no connection of the organization')
}

const fault = (path: string, message: string) => new Problem('validation_failed', { fields: [{ path, message }] })
