// The grants that a client may be given, by their registered names.
import { implicitGrantType } from './response-types.ts'

/** RFC 8628 §3.4. */
export const deviceGrantType = 'urn:ietf:params:oauth:grant-type:device_code'
/** CIBA Core §4. */
export const cibaGrantType = 'urn:openid:params:grant-type:ciba'
/** RFC 8693 §2.1. */
export const exchangeGrantType = 'urn:ietf:params:oauth:grant-type:token-exchange'
/** RFC 7523 §2.1. */
export const jwtBearerGrantType = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

/** All that an administrator may give over the API. */
export const grantTypes = [
  'authorization_code',
  'refresh_token',
  'client_credentials',
  deviceGrantType,
  cibaGrantType,
  exchangeGrantType,
  jwtBearerGrantType,
  implicitGrantType,
] as const
