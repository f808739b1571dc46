// What a provider told of a person, as it is kept: plain JSON, replaced whole.
import type { Prisma } from '../platform/data/database.ts'
import type { UpstreamIdentity } from './connector.ts'

/** Turns the claims into it. */
export const toJson = ({ claims }: Pick<UpstreamIdentity, 'claims'>): Prisma.InputJsonObject => JSON.parse(JSON.stringify(claims))
