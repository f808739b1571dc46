// The addresses that are set of a provider: what it is called by is compared with what it says, and is under https.
import { z } from 'zod'
import { isSecureAddress } from './secure-address.ts'

/** An origin: https, or http of this machine. */
export const originSchema = z
  .string()
  .max(512)
  .refine(text => isSecureAddress(text) && new URL(text).origin === text, 'must be an origin such as https://id.example.com')

/** An issuer identifier (OpenID Connect Discovery §3); with `/.well-known/` in it nobody would compare it with what is found there. */
export const issuerSchema = z
  .string()
  .max(512)
  .refine(text => isSecureAddress(text) && !/[?#]|\/\.well-known\//.test(text), 'must be an issuer such as https://id.example.com, without what comes after it')
