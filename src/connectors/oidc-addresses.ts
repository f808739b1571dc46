// The addresses that are set of a provider: what it is called by is compared with what it says, and is under https.
import { z } from 'zod'

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/
const isSecure = (url: URL) => url.protocol === 'https:' || (url.protocol === 'http:' && loopback.test(url.hostname))

/** An origin: https, or http of this machine. */
export const originSchema = z
  .string()
  .max(512)
  .refine(text => URL.canParse(text) && new URL(text).origin === text && isSecure(new URL(text)), 'must be an origin such as https://id.example.com')

/** An issuer identifier (OpenID Connect Discovery §3); with `/.well-known/` in it nobody would compare it with what is found there. */
export const issuerSchema = z
  .string()
  .max(512)
  .refine(text => {
    if (!URL.canParse(text) || /[?#]|\/\.well-known\//.test(text)) return false
    const url = new URL(text)
    return isSecure(url) && !url.username && !url.password
  }, 'must be an issuer such as https://id.example.com, without what comes after it')
