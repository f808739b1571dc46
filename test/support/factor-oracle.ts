// Says what may be told of a sign-in, from what was proven in a browser and nothing else: the model that the server is held to.
import { twoFactors } from './factor-journeys.ts'

/** What a token tells of a sign-in. */
export interface Told {
  readonly sub: string
  readonly acr?: string
  readonly amr: readonly string[]
}

/** What is asked of whoever enters. */
export interface Demand {
  readonly isFactorAsked: boolean
  /** The people of whom a factor is required here, whatever they have. */
  readonly members: ReadonlySet<string>
}

interface Proofs {
  readonly first: Set<'pwd' | 'otp'>
  /** The step of the sequence in which the first proof was made. */
  readonly at: number
  /** What was proven beside the first proof: a code, a passkey. */
  readonly factors: Set<'code' | 'passkey'>
}

const referencesOf = { code: ['otp', 'mfa'], passkey: ['hwk', 'user', 'mfa'] } as const

/** Makes a model of so many browsers and of the people who have an authenticator app from the beginning. Each `verify` answers what is wrong. */
export const createOracle = ({ browsers, enrolled }: { browsers: number; enrolled: readonly string[] }) => {
  const proofs = Array.from({ length: browsers }, () => new Map<string, Proofs>())
  const signedIn: (string | undefined)[] = Array(browsers).fill(undefined)
  const enrolledAt = new Map(enrolled.map(sub => [sub, -1]))
  const epochs = new Map<string, number>()
  const epochOf = (sub: string) => epochs.get(sub) ?? 0
  const of = (browser: number, sub: string) => proofs[browser]?.get(sub)

  const faultOfClaims = (known: Proofs, { acr, amr }: Told) => {
    const mayTell = new Set<string>([...known.first, ...[...known.factors].flatMap(factor => [...referencesOf[factor]])])
    const excess = amr.filter(reference => !mayTell.has(reference))
    if (excess.length > 0) return `amr tells ${excess}, which was not proven`
    return acr === twoFactors && known.factors.size === 0 ? 'acr tells two factors of one' : undefined
  }

  return {
    proveFirst: (browser: number, { sub, by, step }: { sub: string; by: 'pwd' | 'otp'; step: number }) => {
      const known = of(browser, sub)
      proofs[browser]?.set(sub, { first: new Set([...(known?.first ?? []), by]), at: known?.at ?? step, factors: known?.factors ?? new Set() })
    },
    proveFactor: (browser: number, sub: string, factor: 'code' | 'passkey' = 'code') => {
      of(browser, sub)?.factors.add(factor)
    },
    enrol: (sub: string, step: number) => {
      if (!enrolledAt.has(sub)) enrolledAt.set(sub, step)
    },
    hasFactor: (sub: string) => enrolledAt.has(sub),
    signedIn: (browser: number) => signedIn[browser],
    /** Somebody signed out. */
    leave: (browser: number) => {
      signedIn[browser] = undefined
    },
    /** A new password: nothing that was proven before counts anywhere. */
    reset: (sub: string) => {
      for (const each of proofs) each.delete(sub)
      for (const [browser, who] of signedIn.entries()) if (who === sub) signedIn[browser] = undefined
      epochs.set(sub, epochOf(sub) + 1)
    },
    epochOf,
    /** Tokens were issued; without a page where no person did anything for it. */
    verify: (browser: number, { told, demand, isSilent }: { told: Told; demand: Demand; isSilent: boolean }): string | undefined => {
      const { sub } = told
      const known = of(browser, sub)
      if (!known || known.first.size === 0) return 'somebody who proved nothing is let in'
      if (isSilent && signedIn[browser] !== sub) return 'somebody who is not signed in is let in silently'
      const isOlder = known.at < (enrolledAt.get(sub) ?? Number.POSITIVE_INFINITY)
      const mustHave = demand.isFactorAsked || demand.members.has(sub) || (enrolledAt.has(sub) && !isOlder)
      if (mustHave && known.factors.size === 0) return 'a second factor is required and was not proven'
      signedIn[browser] = sub
      return faultOfClaims(known, told)
    },
    /** A refresh gave tokens for a sign-in that was told so. */
    verifyRefresh: ({ before, after, epoch }: { before: Told; after: Told; epoch: number }): string | undefined => {
      if (epochOf(before.sub) !== epoch) return 'a refresh token outlives a new password'
      if (after.sub !== before.sub) return 'a refresh token is somebody else’s'
      const excess = after.amr.filter(reference => !before.amr.includes(reference))
      if (excess.length > 0) return `a refresh tells ${excess} more than the sign-in`
      return after.acr === twoFactors && before.acr !== twoFactors ? 'a refresh tells a higher class than the sign-in' : undefined
    },
  }
}
