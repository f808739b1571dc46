// Every kind of provider that is spoken to in OpenID Connect or OAuth, one row each: from the button to the identity, and what a test of it finds.
import test from 'ava'
import { connect, connectorsOf } from '../support/upstreams/connecting.ts'
import { startGithub } from '../support/upstreams/github.ts'
import { startGoogle, startMicrosoft, tenantId } from '../support/upstreams/known.ts'
import { startUpstream } from '../support/upstreams/upstream.ts'
import type { Standing } from '../support/upstreams/world.ts'

interface Started extends Standing {
  readonly client_id: string
  readonly client_secret: string
  signIn(url: URL, who?: object): Promise<URL>
  refuse(url: URL): Promise<URL>
  close(): Promise<void>
}

interface Row {
  readonly id: string
  readonly start: () => Promise<Started>
  readonly settings?: (started: Started) => object
  readonly who: object
  readonly subject: string
  /** Where our browser goes. */
  readonly origins: (started: Started) => readonly string[]
  readonly findings: readonly string[]
}

const email = 'ada@example.com'
const claims = { email, email_verified: true, name: 'Ada', picture: 'https://pictures.example/ada.png' }
const oid = '11111111-2222-4333-8444-555555555555'
const found = ['discovery', 'keys', 'code_flow', 'pkce', 'signature', 'credentials']

const rows: readonly Row[] = [
  {
    id: 'oidc',
    start: startUpstream,
    settings: ({ local }) => ({ issuer: local }),
    who: { sub: 'ada', claims },
    subject: 'ada',
    origins: ({ local }) => [local],
    findings: found,
  },
  { id: 'google', start: startGoogle, who: { sub: '1088', claims }, subject: '1088', origins: () => ['https://accounts.google.com'], findings: found },
  {
    id: 'microsoft',
    start: startMicrosoft,
    who: { claims: { ...claims, oid, xms_edov: true } },
    subject: `${tenantId}:${oid}`,
    origins: () => ['https://login.microsoftonline.com'],
    findings: found,
  },
  {
    id: 'github',
    start: startGithub,
    who: { user: { id: 42, name: 'Ada', avatar_url: claims.picture }, emails: [{ email, primary: true, verified: true }] },
    subject: '42',
    origins: () => ['https://github.com', 'https://api.github.com'],
    findings: ['credentials'],
  },
  {
    id: 'gitlab',
    start: () => startUpstream({ authMethod: 'client_secret_post' }),
    settings: ({ local }) => ({ origin: local }),
    who: { sub: '7', userinfo: claims },
    subject: '7',
    origins: ({ local }) => [local],
    findings: found,
  },
]

test('every kind but SAML has its row', t => {
  const kinds = [...connectorsOf().keys()].filter(id => id !== 'saml')
  t.deepEqual([...kinds].sort(), rows.map(({ id }) => id).sort())
})

for (const { id, start, settings, who, subject, origins, findings } of rows)
  test(`${id}: a person signs in, another says no, and the connection is found well`, async t => {
    const started = await start()
    t.teardown(started.close)
    const given = { settings: { client_id: started.client_id, ...settings?.(started) }, client_secret: started.client_secret }
    const connecting = connect(connectorsOf([started]), id, given)

    const { claims: kept, told: _told, authenticatedAt, authoritativeDomain, ...identity } = await connecting.signIn(started, who)
    t.deepEqual(identity, { subject, email, isEmailVerified: true, name: 'Ada', picture: claims.picture })
    t.notRegex(JSON.stringify(kept), /token|eyJ|gho_/)

    const underway = await connecting.begin({ loginHint: email })
    t.true(origins(started).includes(underway.url.origin))
    t.is(underway.url.searchParams.get('code_challenge_method'), 'S256')
    t.is(underway.url.searchParams.get('redirect_uri'), connecting.connection.callbackUrl)
    t.true(underway.url.search.includes(encodeURIComponent(email)))
    await t.throwsAsync(connecting.complete(underway, await started.refuse(underway.url)), { code: 'upstream_refused' })

    t.deepEqual(
      await connecting.test(),
      findings.map(check => ({ check, isGood: true })),
    )
    await started.close()
    const [finding] = await connecting.test()
    t.is(finding?.isGood, false)
    t.notRegex(finding?.detail ?? '', /localhost|\d{4}|ECONN/)
    t.true(finding?.cause instanceof Error, 'the log is told why')
  })
