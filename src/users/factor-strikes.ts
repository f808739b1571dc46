// What a user took back with a removed factor, for whatever says that it was proven and that the removal does not reach itself.
import { z } from 'zod'
import { multiFactor } from '../mfa/authenticator.ts'
import type { TransactionClient } from '../platform/data/database.ts'

/** When a factor was last removed, in seconds since 1970, by its references (RFC 8176) with a space between them. */
export type FactorStrikes = Readonly<Record<string, number>>

/** As the database has them. */
export const factorStrikes = z.record(z.string(), z.number())

/** Notes it in the transaction of the removal, which has locked the user. */
export const strikeFactorOfUser = async (
  tx: TransactionClient,
  { userId, references }: { readonly userId: string; readonly references: readonly string[] },
): Promise<void> => {
  await tx.$executeRaw`
    UPDATE users SET factor_strikes = coalesce(factor_strikes, '{}') || jsonb_build_object(${references.join(' ')}::text, extract(epoch FROM clock_timestamp()))
    WHERE id = ${userId}::uuid`
}

/** Whether two factors that were proven then, in seconds since 1970, count no more: one of them may be of those removed since. */
export const isStruck = (strikes: FactorStrikes | undefined, { amr, at }: { readonly amr: readonly string[]; readonly at: number }): boolean =>
  amr.includes(multiFactor) &&
  Object.entries(strikes ?? {}).some(([references, struckAt]) => at <= struckAt && references.split(' ').every(reference => amr.includes(reference)))

/** The same in the database, of a row with `factor_strikes`. */
export const isStruckIn = ({ owner, amr, at }: Readonly<Record<'owner' | 'amr' | 'at', string>>): string =>
  `EXISTS (SELECT 1 FROM ${owner}, jsonb_each_text(${owner}.factor_strikes) AS strike(reference, struck_at)
     WHERE ${amr} ?& string_to_array('${multiFactor} ' || strike.reference, ' ') AND ${at} <= strike.struck_at::float8)`
