// Whom a certificate names: its subject and its alternative names, compared with what is expected (RFC 8705 §2.1.2).
import type { X509Certificate } from 'node:crypto'
import ipaddr from 'ipaddr.js'

/** A name under its registered parameter, such as `tls_client_auth_san_dns`. */
export interface ExpectedName {
  readonly property: string
  readonly expected: string
}

/** Whether a certificate bears the name. */
export const isNamed = (certificate: X509Certificate, { property, expected }: ExpectedName): boolean => {
  if (property === 'tls_client_auth_subject_dn') return isSubject(certificate.subject, expected)
  const kind = kinds[property]
  if (kind === undefined) return false
  return alternativeNames(certificate.subjectAltName ?? '').some(name => name.type === kind.type && kind.isEqual(name.value, expected))
}

const isSameText = (a: string, b: string) => a === b
const isSameHost = (a: string, b: string) => a.toLowerCase() === b.toLowerCase()
const isSameMailbox = (a: string, b: string) => toMailbox(a) === toMailbox(b)
const isSameAddress = (a: string, b: string) =>
  ipaddr.isValid(a) && ipaddr.isValid(b) && ipaddr.parse(a).toNormalizedString() === ipaddr.parse(b).toNormalizedString()

// Only the host of a mailbox is the same in capitals (RFC 5280 §7.5).
const toMailbox = (address: string) => address.replace(/@[^@]*$/, host => host.toLowerCase())

const kinds: Readonly<Record<string, { type: string; isEqual: (a: string, b: string) => boolean }>> = {
  tls_client_auth_san_dns: { type: 'DNS', isEqual: isSameHost },
  tls_client_auth_san_uri: { type: 'URI', isEqual: isSameText },
  tls_client_auth_san_ip: { type: 'IP Address', isEqual: isSameAddress },
  tls_client_auth_san_email: { type: 'email', isEqual: isSameMailbox },
}

// Node writes `DNS:a.example, URI:https://b.example`, and a value that could be mistaken for more than one as a JSON string.
const alternativeNames = (list: string) =>
  [...list.matchAll(/(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,"]*)(?=, |$)/g)].map(([, type = '', value = '']) => ({
    type,
    value: value.startsWith('"') ? String(JSON.parse(value)) : value,
  }))

// Node writes a line for each relative name, the first of the certificate first; RFC 4514 §2.1 begins with the last.
const isSubject = (subject: string | undefined, expected: string): boolean => {
  const named = (subject ?? '').split('\n').toReversed().map(toRelativeName)
  const wanted = splitUnescaped(expected, ',').map(toRelativeName)
  return named.length === wanted.length && named.every((name, index) => name !== '' && name === wanted[index])
}

// RFC 4517 §4.2.15: types by whatever name, values without regard to case and to how many spaces stand between words.
const toRelativeName = (text: string): string =>
  splitUnescaped(text, '+')
    .map(pair => {
      const equals = pair.indexOf('=')
      const type = pair
        .slice(0, equals)
        .trim()
        .toUpperCase()
        .replace(/^OID\./, '')
      return `${types[type] ?? type}=${equals < 0 ? '' : toValue(pair.slice(equals + 1))}`
    })
    .toSorted()
    .join('\n')

// The short names that OpenSSL writes, for those that other tools do.
const types: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.5': 'SERIALNUMBER',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  S: 'ST',
  '2.5.4.9': 'STREET',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.97': 'ORGANIZATIONIDENTIFIER',
  E: 'EMAILADDRESS',
  EMAIL: 'EMAILADDRESS',
  '1.2.840.113549.1.9.1': 'EMAILADDRESS',
  '0.9.2342.19200300.100.1.1': 'UID',
  '0.9.2342.19200300.100.1.25': 'DC',
}

// RFC 4514 §2.4: a backslash stands before a character, or before the two digits of a byte.
const toValue = (text: string): string => {
  const parts = trimUnescaped(text).matchAll(/((?:\\[0-9a-f]{2})+)|\\(.)|([^\\]+)/gis)
  const plain = [...parts].map(([, bytes, escaped, rest]) => (bytes ? Buffer.from(bytes.replaceAll('\\', ''), 'hex').toString('utf8') : (escaped ?? rest)))
  return JSON.stringify(plain.join('').normalize('NFKC').toLowerCase().trim().replace(/ +/g, ' '))
}

const trimUnescaped = (text: string) => text.replace(/^ +/, '').replace(/(?<!\\) +$/, '')

const splitUnescaped = (text: string, separator: string): string[] => {
  const parts = ['']
  for (const token of text.match(/\\.|[^\\]/gs) ?? []) {
    if (token === separator) parts.push('')
    else parts[parts.length - 1] += token
  }
  return parts
}
