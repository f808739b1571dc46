// A branding is seen before it is saved: by who may save it, as a picture that can do nothing, and nothing is kept.
import test from 'ava'
import { makeAdmin, startApi, type TestApi } from '../support/api.ts'
import { makeClient } from '../support/clients.ts'
import { makeOrganization } from '../support/organization.ts'
import { pictureAt, startPictures, svg } from '../support/pictures.ts'

let api: TestApi
let shared: Awaited<ReturnType<typeof makeOrganization>>
let clientId: string
let pictures: Awaited<ReturnType<typeof startPictures>>
test.before(async () => {
  pictures = await startPictures()
  branding.logo_url = pictures.at('/logo.svg')
  api = await startApi()
  shared = await makeOrganization(api)
  clientId = (await makeClient(api.server, { name: 'Portal', organizationId: shared.id })).clientId
})
test.after.always(async () => {
  pictures?.close()
  await api?.close()
})

const pixel = `data:image/png;base64,${Buffer.from('pixel').toString('base64')}`
const branding = { name: 'Nordlicht', logo_url: '', favicon_url: pixel, primary_color: '#0b0b3b', radius: '4px' }
const preview = (body: unknown, by = shared.asAdmin) => by('POST /settings/preview', body)
const ofClient = (body: unknown, by = shared.asAdmin) => by(`POST /clients/${clientId}/preview`, body)

test('the sign-in page is shown in a branding that was not saved, and nothing is saved', async t => {
  const state = async () => {
    const { pool } = api.server.resources.database
    const { rows } = await pool.query(
      `SELECT (SELECT row_to_json(o)::text FROM organizations o WHERE id = $1) AS organization, (SELECT row_to_json(c)::text FROM clients c WHERE client_id = $2) AS client,
       (SELECT count(*) FROM audit_events WHERE organization_id = $1) AS events`,
      [shared.id, clientId],
    )
    return rows
  }
  const before = await state()
  for (const answer of [await preview({ branding }), await ofClient({ branding })]) {
    t.is(answer.status, 200)
    t.true(answer.data.html.includes('Create an account'))
    for (const part of ['Nordlicht</title>', `src="${pictureAt(svg)}" alt="Nordlicht"`, `href="${pixel}"`, '--brand:#0b0b3b', '--radius:4px', 'Sign in'])
      t.true(answer.data.html.includes(part), part)
  }
  t.deepEqual(await state(), before)
  t.deepEqual((await shared.asAdmin('GET /settings')).data.branding, {})
})

test('each page is shown, in the language that is asked for, else in the branding’s', async t => {
  const headings = []
  for (const page of ['identifier', 'password', 'sign_up', 'consent']) {
    const { data } = await preview({ branding: {}, page })
    headings.push(/<h1[^>]*>(.*?)<\/h1>/s.exec(data.html)?.[1]?.replaceAll(/<[^>]+>/g, ''))
  }
  t.is(new Set(headings).size, 4)
  const languageOf = async (body: object) => /<html lang="([^"]+)" dir="([^"]+)"/.exec((await preview(body)).data.html)?.slice(1)
  t.deepEqual(await languageOf({ branding: {} }), ['en', 'ltr'])
  t.deepEqual(await languageOf({ branding: { default_language: 'ja' } }), ['ja', 'ltr'])
  t.deepEqual(await languageOf({ branding: { default_language: 'ja' }, language: 'ar' }), ['ar', 'rtl'])
  t.deepEqual(await languageOf({ branding: {}, language: 'fi' }), ['en', 'ltr'])
})

test('a client’s is shown under what its organization saved, the organization’s for itself', async t => {
  const own = await makeOrganization(api)
  const { clientId } = await makeClient(api.server, { name: 'Own portal', organizationId: own.id })
  await own.asOwner('PATCH /settings', { branding: { primary_color: '#123456' } })
  const given = { branding: { name: 'Mine', primary_color: '#654321' } }
  const { data } = await own.asAdmin(`POST /clients/${clientId}/preview`, given)
  t.true(data.html.includes('--brand:#123456') && data.html.includes('Mine</title>') && data.html.includes('Own portal'))
  t.true((await own.asAdmin('POST /settings/preview', given)).data.html.includes('--brand:#654321'))
  const admin = await makeAdmin(api)
  const bySystem = await api.ask(`POST /clients/${clientId}/preview`, { token: admin, body: given })
  t.true(bySystem.data.html.includes('--brand:#123456'))
})

test('a colour that cannot be read is told, and the one that pages use instead is shown', async t => {
  const { data } = await preview({ branding: { primary_color: '#ffe81a', primary_text_color: '#ffffff' } })
  t.deepEqual(
    data.warnings.map(({ path }: { path: string }) => path),
    ['primary_text_color', 'primary_color'],
  )
  t.regex(data.warnings[0].message, /#000000/)
  t.true(data.html.includes('--on-brand:#000000'))
  t.deepEqual(
    (await preview({ branding })).data.warnings.filter(({ path }: { path: string }) => path === 'primary_text_color'),
    [],
  )
})

test('it is a picture: no scripts, no secrets, nothing that leads anywhere, and a policy that holds it so', async t => {
  for (const page of ['identifier', 'password', 'sign_up', 'consent']) {
    const { html } = (await preview({ branding, page })).data
    t.true(html.includes('<body inert>'))
    t.false(html.includes('<script'))
    for (const [, name, value] of html.matchAll(/\b(action|href)="([^"]*)"/g))
      t.true(value === '/' || value === pixel || value.startsWith('/assets/') || value === `${api.server.issuer}/`, `${page}: ${name} ${value}`)
    for (const [, value] of html.matchAll(/name="csrf" value="([^"]*)"/g)) t.is(value, '')
    const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(html)?.[1]?.replaceAll('&#39;', "'") ?? ''
    for (const part of ["default-src 'none'", "form-action 'none'", `base-uri ${api.server.issuer}`]) t.true(policy.includes(part), part)
    t.false(/script-src|unsafe/.test(policy))
    const nonce = /'nonce-([^']+)'/.exec(policy)?.[1]
    t.is(/<style nonce="([^"]+)"/.exec(html)?.[1], nonce)
    t.true(html.indexOf('http-equiv') < html.indexOf('<link'))
  }
})

test('what is hostile is shown as text or refused', async t => {
  const name = '</title><script>alert(1)</script>"><img src=x onerror=alert(1)>'
  const { html } = (await preview({ branding: { name, logo_url: pictures.at('/logo.png?"onerror="alert(1)') } })).data
  t.false(/<script|<img src=x|" ?onerror="/.test(html))
  t.true(html.includes('&lt;script&gt;'))
  const own = await makeOrganization(api)
  await own.asOwner('PATCH ', { name: '<img src=x onerror=alert(2)>' })
  const named = (await preview({ branding: {} }, own.asOwner)).data.html
  t.false(named.includes('<img src=x'))
  t.true(named.includes('&lt;img src=x'))
  const refused = [
    {},
    { branding: null },
    { branding: { primary_color: 'red;}' } },
    { branding: { logo_url: 'javascript:alert(1)' } },
    { branding: { custom_css: 'a' } },
    { branding: {}, page: 'sign-up' },
    { branding: {}, page: '../layout' },
    { branding: {}, page: 'error' },
    { branding: {}, language: '../de' },
    { branding: {}, save: true },
  ]
  for (const body of refused) for (const answer of [await preview(body), await ofClient(body)]) t.is(answer.status, 400, JSON.stringify(body))
})

test('only who may change the branding sees it; to the administrators of others there is nothing', async t => {
  const other = await makeOrganization(api)
  const of = async (by: typeof shared.asOwner) => [(await preview({ branding }, by)).status, (await ofClient({ branding }, by)).status]
  t.deepEqual(await of(shared.asOwner), [200, 200])
  t.deepEqual(await of(shared.asAdmin), [200, 200])
  t.deepEqual(await of(shared.asMember), [403, 403])
  t.deepEqual(await of(shared.as(other.owner)), [404, 404])
  t.deepEqual(await of(shared.as({ ...other.owner, token: 'none' })), [401, 401])
  // Another's client is not found in one's own organization, and the system's operation is the system's.
  t.is((await other.asOwner(`POST /clients/${clientId}/preview`, { branding })).status, 404)
  t.is((await api.ask(`POST /clients/${clientId}/preview`, { token: shared.owner.token, body: { branding } })).status, 403)
  t.is((await shared.asOwner('POST /clients/no-such-client/preview', { branding })).status, 404)
})
