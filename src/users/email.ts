// The one canonical form of an email address, by which people are told apart.
import { domainToASCII } from 'node:url'
import { Problem } from '../platform/errors.ts'

const localPart = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/
const domain = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/

/**
 * Trims, lower-cases and writes the domain in ASCII (RFC 5890). Answers `undefined` for what is no address we accept:
 * quoted or non-ASCII local parts, domains without a dot, more than 254 characters.
 */
export const normalizeEmail = (address: string): string | undefined => {
  const trimmed = address.normalize('NFC').trim()
  const at = trimmed.lastIndexOf('@')
  if (at < 1 || at > 64 || trimmed.length > 254) return undefined
  const local = trimmed.slice(0, at).toLowerCase()
  const ascii = domainToASCII(trimmed.slice(at + 1))
  return localPart.test(local) && domain.test(ascii) ? `${local}@${ascii}` : undefined
}

/** The same of what somebody typed. Throws `validation_failed` at `email` for what is none. */
export const parseEmail = (address: string): string => {
  const normalized = normalizeEmail(address)
  if (normalized === undefined)
    throw new Problem('validation_failed', { fields: [{ path: 'email', code: 'no_email', message: 'This is not an email address.' }] })
  return normalized
}
