// When a person proved themselves, to the millisecond: what the engine keeps of it has seconds (`auth_time`), and within one a person's access may end.
import Provider from 'oidc-provider'

/** Seconds since 1970: with their fraction in the request that takes up the proof, else as the session keeps them. */
export const provenAtOf = (loginTs: number | undefined): number => {
  const login = Provider.ctx?.oidc?.result?.login
  const provenAt: unknown = login?.provenAt
  // Another provider may have asked the person long before they came here by it: their `ts` is of then, the proof is of now.
  return typeof provenAt === 'number' && login?.ts === loginTs ? provenAt : (loginTs ?? 0)
}

/** When the last factor was proven that the session says, in the request that takes it up; else as {@link provenAtOf}. */
export const factorAtOf = (loginTs: number | undefined): number => {
  const login = Provider.ctx?.oidc?.result?.login
  return typeof login?.factorAt === 'number' && login.ts === loginTs ? login.factorAt : provenAtOf(loginTs)
}

/** When the person was last asked for a proof, in the request that takes up a sign-in by another provider; `undefined` where it is of now. */
export const askedAtOf = (loginTs: number | undefined): Date | undefined => {
  const login = Provider.ctx?.oidc?.result?.login
  const askedAt: unknown = login?.askedAt
  return typeof askedAt === 'number' && login?.ts === loginTs ? new Date(askedAt * 1000) : undefined
}

/** How long before the person came here another provider had asked them, as it says; 0 where it asked them for this sign-in, or says nothing. */
export const secondsElsewhere = (loginTs: number | undefined): number => {
  const askedAt = askedAtOf(loginTs)
  return loginTs === undefined || askedAt === undefined || Math.floor(askedAt.getTime() / 1000) !== loginTs ? 0 : Math.floor(provenAtOf(loginTs)) - loginTs
}
