// What a client carries that whoever gets hold of it would have: what it is listed for, and what people let it do on our own API.
import type { TransactionClient } from '../platform/data/database.ts'

/** What a client carries beside its own columns. */
export interface Carried {
  /** The organizations of the resource servers that list it; `undefined`: one of the system. */
  readonly listedBy: readonly (string | undefined)[]
  /** The scopes of our own API that people granted it. */
  readonly scopes: readonly string[]
}

/** Looks it up, in the change that would hand it on. */
export type FindCarried = (tx: TransactionClient, client: { readonly id: string; readonly clientId: string }) => Promise<Carried>

/** Makes it. */
export const createFindCarried =
  ({ apiIdentifier }: { readonly apiIdentifier: string }): FindCarried =>
  async (tx, { id, clientId }) => {
    const listings = await tx.resourceServerClient.findMany({
      where: { clientId: id, resourceServer: { deletedAt: null } },
      select: { resourceServer: { select: { organizationId: true } } },
    })
    const granted = await tx.$queryRaw<{ scopes: string }[]>`
      SELECT DISTINCT a.payload -> 'resources' ->> ${apiIdentifier} AS scopes FROM oidc_artifacts a
      WHERE a.client_id = ${clientId} AND a.kind = 'Grant' AND a.revoked_at IS NULL
        AND a.payload -> 'resources' ->> ${apiIdentifier} IS NOT NULL`
    return {
      listedBy: listings.map(({ resourceServer }) => resourceServer.organizationId ?? undefined),
      scopes: [...new Set(granted.flatMap(({ scopes }) => scopes.split(' ').filter(Boolean)))],
    }
  }
