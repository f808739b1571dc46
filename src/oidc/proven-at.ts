// When a person proved themselves, to the millisecond: what the engine keeps of it has seconds (`auth_time`), and within one a person's access may end.
import Provider from 'oidc-provider'

/** Seconds since 1970: with their fraction in the request that takes up the proof, else as the session keeps them. */
export const provenAtOf = (loginTs: number | undefined): number => {
  const login = Provider.ctx?.oidc?.result?.login
  const provenAt: unknown = login?.provenAt
  // Another provider may have asked the person long before they came here by it: their `ts` is of then, the proof is of now.
  return typeof provenAt === 'number' && login?.ts === loginTs ? provenAt : (loginTs ?? 0)
}
