// Takes out of an interaction what was proven in it by a factor that was removed since: the person proves themselves anew.
import type { AdapterPayload } from 'oidc-provider'
import { z } from 'zod'
import { isStruck } from '../users/factor-strikes.ts'
import type { User } from '../users/user.ts'

const proof = z.object({ accountId: z.string(), amr: z.array(z.string()), provenAt: z.number(), factorAt: z.number().optional() })
const result = z.union([z.object({ login: proof }).transform(({ login }) => login), z.object({ pending: proof }).transform(({ pending }) => pending)])

/** Makes it. */
export const createWithoutStruck = ({ find }: { find(id: string): Promise<User | undefined> }) => {
  const isOver = async (given: unknown): Promise<boolean> => {
    const { success, data: proven } = result.safeParse(given)
    if (!success) return false
    const { accountId, amr, provenAt, factorAt: at = provenAt } = proven
    return isStruck((await find(accountId))?.factorStrikes, { amr, at })
  }
  return async (interaction: AdapterPayload): Promise<AdapterPayload> => {
    const { result, lastSubmission, ...rest } = interaction
    return {
      ...rest,
      ...((await isOver(result)) ? {} : { result }),
      ...((await isOver(lastSubmission)) ? {} : { lastSubmission }),
    }
  }
}
