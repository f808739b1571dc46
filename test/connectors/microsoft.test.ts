// Microsoft: a person is their tenant and number, whatever their address says, and tenants are those that were set.
import test from 'ava'
import { connect, connectorsOf } from '../support/upstreams/connecting.ts'
import { consumerTenantId, startMicrosoft, tenantId } from '../support/upstreams/known.ts'
import type { Upstream } from '../support/upstreams/upstream.ts'
import { fetchThrough } from '../support/upstreams/world.ts'

const oid = '11111111-2222-4333-8444-555555555555'
const otherTenant = '99999999-aaaa-4bbb-8ccc-dddddddddddd'
const issuerOf = (tid: unknown) => `https://login.microsoftonline.com/${tid}/v2.0`

let microsoft: Upstream
test.before(async () => {
  microsoft = await startMicrosoft()
})
test.after.always(() => microsoft?.close())

const connecting = (settings: object = {}, at: Upstream = microsoft) =>
  connect(connectorsOf([at]), 'microsoft', { settings: { client_id: at.client_id, ...settings }, client_secret: at.client_secret })
const of = (tid: string, more: object = {}) => ({ idToken: { oid, tid, iss: issuerOf(tid), ...more } })

test('a person is their tenant and number there, whatever subject and address are', async t => {
  const one = connecting()
  const ada = await one.signIn(microsoft, of(tenantId, { sub: 'first' }))
  t.is(ada.subject, `${tenantId}:${oid}`)
  t.is((await one.signIn(microsoft, of(tenantId, { sub: 'second', email: 'other@example.com' }))).subject, ada.subject)
  t.not((await one.signIn(microsoft, of(otherTenant, { sub: 'first' }))).subject, ada.subject, 'the same number in another tenant')
  t.is((await one.signIn(microsoft, of(tenantId, { oid: oid.toUpperCase() }))).subject, ada.subject)
})

const nobody: readonly (readonly [string, object])[] = [
  ['no tenant', { tid: undefined }],
  ['a tenant that is null', { tid: null }],
  ['an empty tenant', { tid: '', iss: issuerOf('') }],
  ['a tenant that is no id', { tid: 'contoso', iss: issuerOf('contoso') }],
  ['a list of tenants', { tid: [tenantId] }],
  ['a tenant that is not the issuer’s', { tid: otherTenant, iss: issuerOf(tenantId) }],
  ['a tenant that leads the issuer elsewhere', { tid: '../evil', iss: issuerOf('../evil') }],
  ['an issuer that is a template', { iss: issuerOf('{tenantid}') }],
  ['an issuer of another kind', { iss: `https://sts.windows.net/${tenantId}/` }],
  ['an issuer of another host', { iss: `https://login.microsoftonline.com.evil.example/${tenantId}/v2.0` }],
  ['no number', { oid: undefined }],
  ['a number that is null', { oid: null }],
  ['an empty number', { oid: '' }],
  ['a number that is no id', { oid: '1' }],
  ['a list of numbers', { oid: [oid] }],
]

test('who has no tenant and number that agree with the issuer is nobody', async t => {
  const one = connecting()
  for (const [title, idToken] of nobody)
    await t.throwsAsync(one.signIn(microsoft, { idToken: { oid, ...idToken } }), { code: 'upstream_answer_invalid' }, title)
})

const proofs: readonly (readonly [string, object, boolean])[] = [
  ['the domain’s owner is proven', { xms_edov: true }, true],
  ['nothing is said', {}, false],
  ['the domain’s owner is not proven', { xms_edov: false }, false],
  ['by the text 1, as some of its tokens say it', { xms_edov: '1' }, true],
  ['by the number 1', { xms_edov: 1 }, true],
  ['by other text', { xms_edov: 'true' }, false],
  ['by another number', { xms_edov: 2 }, false],
  ['by a list', { xms_edov: [true] }, false],
  ['not, by the text 0', { xms_edov: '0' }, false],
  ['by what a tenant may write itself', { email_verified: true, verified_primary_email: ['ada@example.com'] }, false],
]

test('an address is any tenant’s word, unless Microsoft proved the owner of its domain', async t => {
  const one = connecting()
  for (const [title, more, isVerified] of proofs) {
    const identity = await one.signIn(microsoft, of(tenantId, { email: 'ada@example.com', ...more }))
    t.is(identity.email, 'ada@example.com', title)
    t.is(identity.isEmailVerified, isVerified, title)
    t.is(identity.authoritativeDomain, undefined, title)
  }
  const names = await one.signIn(microsoft, of(tenantId, { preferred_username: 'ada@example.com', upn: 'ada@example.com', xms_edov: true }))
  t.is(names.email, undefined)
  t.false(names.isEmailVerified)
})

const refused = { code: 'upstream_answer_invalid' } as const

test('the tenants that are set are the ones that sign in', async t => {
  const cases: readonly (readonly [string, object, readonly string[]])[] = [
    ['common', {}, [tenantId, otherTenant, consumerTenantId]],
    ['organizations', {}, [tenantId, otherTenant]],
    ['consumers', {}, [consumerTenantId]],
    ['common', { allowed_tenants: [tenantId] }, [tenantId]],
    ['organizations', { allowed_tenants: [consumerTenantId] }, []],
    ['common', { allowed_tenants: [] }, []],
  ]
  for (const [tenant, settings, welcome] of cases) {
    const at = await startMicrosoft({ tenant })
    t.teardown(at.close)
    const one = connecting({ tenant, ...settings }, at)
    for (const tid of [tenantId, otherTenant, consumerTenantId]) {
      const title = `${tid} at ${tenant} with ${JSON.stringify(settings)}`
      if (welcome.includes(tid)) t.is((await one.signIn(at, of(tid))).subject, `${tid}:${oid}`, title)
      else await t.throwsAsync(one.signIn(at, of(tid)), refused, title)
    }
  }
})

test('one tenant is found by its id, or by its domain, and held to its id', async t => {
  for (const tenant of [tenantId, 'contoso.onmicrosoft.com']) {
    const at = await startMicrosoft({ tenant, metadata: { issuer: issuerOf(tenantId) } })
    t.teardown(at.close)
    const one = connecting({ tenant }, at)
    t.is((await one.signIn(at, of(tenantId))).subject, `${tenantId}:${oid}`, tenant)
    await t.throwsAsync(one.signIn(at, of(otherTenant)), refused, tenant)
  }
  const other = await startMicrosoft({ tenant: tenantId, metadata: { issuer: issuerOf(otherTenant) } })
  t.teardown(other.close)
  await t.throwsAsync(connecting({ tenant: tenantId }, other).begin(), { code: 'upstream_unavailable' })
})

test('a key signs for the tenants that Microsoft says it does', async t => {
  const signInWith = async (issuer: unknown, tid: string) => {
    const keysOf = async (answer: Response) => Response.json({ keys: ((await answer.json()) as { keys: object[] }).keys.map(key => ({ ...key, issuer })) })
    const through = connectorsOf([microsoft], {
      fetch: async (input, init) => {
        const { pathname } = new URL(input instanceof Request ? input.url : input)
        const answer = await fetchThrough([microsoft], fetch)(input, init)
        return pathname === '/jwks' ? keysOf(answer) : answer
      },
    })
    const { client_id, client_secret } = microsoft
    return connect(through, 'microsoft', { settings: { client_id }, client_secret }).signIn(microsoft, of(tid))
  }
  for (const [issuer, tid] of [
    [issuerOf('{tenantid}'), tenantId],
    [issuerOf('{tenantid}'), otherTenant],
    [issuerOf(consumerTenantId), consumerTenantId],
    [undefined, tenantId],
  ] as const)
    t.is((await signInWith(issuer, tid)).subject, `${tid}:${oid}`, issuer)
  for (const [issuer, tid] of [
    [issuerOf(consumerTenantId), tenantId],
    [issuerOf(tenantId), otherTenant],
    ['https://sts.windows.net/{tenantid}/', tenantId],
    ['', tenantId],
  ] as const)
    await t.throwsAsync(signInWith(issuer, tid), refused, issuer)
})

test('an issuer for many tenants is taken of the Microsoft connector alone', async t => {
  const { issuer, client_id, client_secret } = microsoft
  const generic = connect(connectorsOf([microsoft]), 'oidc', { settings: { issuer, client_id }, client_secret })
  await t.throwsAsync(generic.begin(), { code: 'upstream_unavailable' })
})

test('who has to prove themselves again is asked for when they did', async t => {
  const { url } = await connecting().begin({ isAgain: true })
  t.is(url.searchParams.get('prompt'), 'login')
  t.regex(url.searchParams.get('claims') ?? '', /auth_time/)
  await t.throwsAsync(connecting().signIn(microsoft, of(tenantId, { auth_time: undefined }), { isAgain: true }), refused)
  t.truthy((await connecting().signIn(microsoft, of(tenantId), { isAgain: true })).authenticatedAt)
})
