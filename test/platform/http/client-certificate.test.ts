// Whom a certificate names, and from where it is believed.
import { X509Certificate } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import test from 'ava'
import type { Context } from 'koa'
import { isNamed } from '../../../src/platform/http/certificate-names.ts'
import { createClientCertificates } from '../../../src/platform/http/client-certificate.ts'
import { asByteSequence, asEscapedPem, type Certified, certify } from '../../support/certificates.ts'

let authority: Certified
test.before(async () => {
  authority = await certify({ subject: 'CN=Authority', isAuthority: true })
})

const x509 = ({ cert }: Certified) => new X509Certificate(cert)
const asked = (rawHeaders: string[], forwarded: string | undefined = '198.51.100.7') =>
  ({ req: { rawHeaders, headers: forwarded ? { 'x-forwarded-for': forwarded } : {}, socket: {} } as unknown as IncomingMessage }) as Context
const certificates = (given: { header?: string; trustedProxies?: number } = {}) =>
  createClientCertificates({ header: 'Client-Cert', trustedProxies: 1, authorities: [x509(authority)], now: () => new Date(), ...given })

test('a subject is compared as a distinguished name, however it is written (RFC 4514, RFC 4517 §4.2.15)', async t => {
  const subject = 'C=DE, O=Example\\, Inc., OU=François+L=Bonn, CN=Client One'
  const certificate = x509(await certify({ subject }))
  const same = [
    'CN=Client One,OU=François+L=Bonn,O=Example\\, Inc.,C=DE',
    'cn=client  one, L=bonn + ou=FRANÇOIS, o=Example\\2C Inc., c=de',
    '2.5.4.3=Client One,OU=Fran\\C3\\A7ois+L=Bonn,OID.2.5.4.10=Example\\, Inc.,C=DE',
  ]
  const others = [
    'C=DE,O=Example\\, Inc.,OU=François+L=Bonn,CN=Client One',
    'CN=Client One',
    'CN=Client One,OU=François,O=Example\\, Inc.,C=DE',
    'CN=Client One,OU=François+L=Bonn,O=Example,C=DE',
    'CN=Client One\\,OU\\=François+L=Bonn,O=Example\\, Inc.,C=DE',
    '',
  ]
  for (const expected of same) t.true(isNamed(certificate, { property: 'tls_client_auth_subject_dn', expected }), expected)
  for (const expected of others) t.false(isNamed(certificate, { property: 'tls_client_auth_subject_dn', expected }), expected)
})

test('alternative names are compared each by its own kind', async t => {
  const certificate = x509(
    await certify({
      names: [
        { type: 'dns', value: 'App.Example.com' },
        { type: 'url', value: 'https://app.example.com/a, DNS:evil.example' },
        { type: 'ip', value: '2001:db8::1' },
        { type: 'email', value: 'Ops@Example.com' },
      ],
    }),
  )
  const is = (property: string, expected: string) => isNamed(certificate, { property: `tls_client_auth_san_${property}`, expected })
  t.true(is('dns', 'app.example.COM'))
  t.true(is('uri', 'https://app.example.com/a, DNS:evil.example'))
  t.true(is('ip', '2001:0db8:0:0:0:0:0:1'))
  t.true(is('email', 'Ops@example.COM'))
  for (const [property, expected] of [
    ['dns', 'example.com'],
    ['dns', 'evil.example'],
    ['dns', '.example.com'],
    ['uri', 'https://app.example.com/a'],
    ['ip', '2001:db8::2'],
    ['ip', 'x'],
    ['email', 'ops@example.com'],
    ['other', 'App.Example.com'],
  ] as const)
    t.false(is(property, expected), `${property} ${expected}`)
})

test('a proxy tells a certificate as RFC 9440 says, or as nginx escapes it', async t => {
  const client = await certify({ issuer: authority })
  for (const value of [asByteSequence(client), asEscapedPem(client)]) {
    const ctx = asked(['client-cert', value])
    t.is(certificates().find(ctx)?.fingerprint256, x509(client).fingerprint256)
    t.true(certificates().isTrusted(ctx))
  }
})

test('what did not pass the proxies, came twice or is no certificate proves nothing', async t => {
  const value = asByteSequence(await certify({ issuer: authority }))
  t.is(certificates().find(asked(['Client-Cert', value], '')), undefined)
  t.is(certificates({ trustedProxies: 2 }).find(asked(['Client-Cert', value])), undefined)
  t.is(certificates({ trustedProxies: 0 }).find(asked(['Client-Cert', value])), undefined)
  t.is(certificates({ header: undefined as never }).find(asked(['Client-Cert', value])), undefined)
  t.is(certificates().find(asked(['Client-Cert', value, 'client-cert', value])), undefined)
  t.is(certificates().find(asked(['X-Client-Cert', value])), undefined)
  for (const wrong of ['', ':AAAA:', '%', 'x', `${value}${value}`, ':'.repeat(20_000)])
    t.is(certificates().find(asked(['Client-Cert', wrong])), undefined, wrong)
})

test('a certificate is trusted that an authority issued to a client, while it lasts', async t => {
  const [stranger, subordinate] = await Promise.all([
    certify({ subject: 'CN=Authority', isAuthority: true }),
    certify({ issuer: authority, subject: 'CN=Not an authority' }),
  ])
  const untrusted = await Promise.all([
    certify({ subject: 'CN=Authority' }),
    certify({ issuer: stranger }),
    certify({ issuer: subordinate }),
    certify({ issuer: authority, endedDaysAgo: 1 }),
    certify({ issuer: authority, purposes: ['1.3.6.1.5.5.7.3.1'] }),
  ])
  for (const [index, one] of untrusted.entries()) {
    const ctx = asked(['Client-Cert', asByteSequence(one)])
    t.truthy(certificates().find(ctx))
    t.false(certificates().isTrusted(ctx), String(index))
  }
})
