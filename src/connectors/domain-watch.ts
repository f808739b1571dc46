// Proven domains are looked at again each day: whoever lost one, or sold it, stops speaking for its addresses.
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import { type Database, statement } from '../platform/data/database.ts'
import type { ResolveTxt } from '../platform/dns.ts'
import { Problem } from '../platform/errors.ts'
import { isProven, told } from './domains.ts'

const graceMilliseconds = 3 * 86_400_000

/** Looks at up to `limit` domains that were not looked at for a day; answers how many. */
export type RecheckDomains = (actor: Actor, limit: number) => Promise<number>

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly resolveTxt: ResolveTxt
  readonly now: () => Date
}

interface Due {
  readonly id: string
  readonly domain: string
  readonly token: string
}

// Taken before it is looked at, so that several processes look at each once; one at a time, so that who stops halfway took none in vain.
const take = statement(
  'domains-recheck',
  `WITH due AS MATERIALIZED (
     SELECT id FROM organization_domains WHERE verified_at IS NOT NULL AND coalesce(checked_at, verified_at) < now() - interval '1 day'
     ORDER BY checked_at LIMIT 1 FOR UPDATE SKIP LOCKED
   )
   UPDATE organization_domains one SET checked_at = now() FROM due WHERE one.id = due.id RETURNING one.id, domain, token`,
)

/** Makes it. A record may be missing for three days; a DNS that does not answer says nothing. */
export const createRecheckDomains = ({ database, change, resolveTxt, now }: Needs): RecheckDomains => {
  const recheck = async (actor: Actor, due: Due) => {
    const { id, token } = due
    const where = { id, token, verifiedAt: { not: null } }
    if (await isProven(resolveTxt, due)) return database.prisma.organizationDomain.updateMany({ where, data: { missingSince: null } })
    await database.prisma.organizationDomain.updateMany({ where: { ...where, missingSince: null }, data: { missingSince: now() } })
    const since = { missingSince: { lte: new Date(now().getTime() - graceMilliseconds) } }
    if ((await database.prisma.organizationDomain.count({ where: { ...where, ...since } })) === 0) return
    await change(actor, async (tx, record) => {
      // Asked again: it may have been proven anew meanwhile.
      const [row] = await tx.organizationDomain.updateManyAndReturn({ where: { ...where, ...since }, data: { verifiedAt: null, missingSince: null } })
      if (!row) throw new Problem('conflict')
      record('domain.unproven', told(row), { organizationId: row.organizationId })
    })
  }
  return async (actor, limit) => {
    for (let count = 0; count < limit; count += 1) {
      const [due] = await database.run<Due>(take)
      if (!due) return count
      await recheck(actor, due).catch(passOver)
    }
    return limit
  }
}

const passOver = (error: unknown) => {
  if (!(error instanceof Problem && (error.code === 'dns_unavailable' || error.code === 'conflict'))) throw error
}
