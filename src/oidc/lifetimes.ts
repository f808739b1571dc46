// How long things live, in seconds.

const minute = 60
const hour = 60 * minute
const day = 24 * hour

/** RFC 9700, OpenID Connect Core and our own judgement. */
export const lifetimes = {
  accessToken: hour,
  authorizationCode: minute,
  backchannelRequest: 5 * minute,
  backchannelRequestLongest: 10 * minute,
  clientCredentials: 10 * minute,
  deviceCode: 10 * minute,
  idToken: hour,
  interaction: hour,
  session: 14 * day,
  /** A refresh token that is not used for so long is dead. */
  refreshTokenIdle: 30 * day,
  /** Rotation does not reach beyond this. */
  refreshTokenAbsolute: 180 * day,
  /** Twice the refresh tokens' own: a grant in use is prolonged at half of it. */
  grant: 360 * day,
  initialAccessToken: day,
  /** The longest that anything we sign for others lives: an access token of a resource server that allows it. */
  longestSigned: day,
  /** Of a key that signs no more: as an ID token may come back as a hint, long after it expired, by which a session is ended (RP-Initiated Logout §2). */
  retiredKey: 90 * day,
}

/** How long a backchannel authentication request lives: what its client asks for, within bounds (CIBA Core §7.1). */
export const backchannelSeconds = (requested: unknown): number =>
  Math.min(requested === undefined ? lifetimes.backchannelRequest : Number(requested), lifetimes.backchannelRequestLongest)
