// When a person proved themselves, to the millisecond: what the engine keeps of it has seconds (`auth_time`), and within one a person's access may end.
import Provider from 'oidc-provider'

/** Seconds since 1970: with their fraction in the request that takes up the proof, else as the session keeps them. */
export const provenAtOf = (loginTs: number | undefined): number => {
  const provenAt: unknown = Provider.ctx?.oidc?.result?.login?.provenAt
  return typeof provenAt === 'number' && Math.floor(provenAt) === loginTs ? provenAt : (loginTs ?? 0)
}
