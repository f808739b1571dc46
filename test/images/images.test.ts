// Pictures of tenants and clients: fetched once at saving, shown from our own origin, and nothing but pictures.
import test from 'ava'
import { makeAdmin, startApi, type TestApi } from '../support/api.ts'
import { makeClient } from '../support/clients.ts'
import { makeOrganization } from '../support/organization.ts'
import { createPerson } from '../support/person.ts'
import { pictureAt, png, startPictures, svg } from '../support/pictures.ts'
import { bob, redirectUri } from '../support/relying-party.ts'
import { until } from '../support/until.ts'

let api: TestApi
let admin: string
let pictures: Awaited<ReturnType<typeof startPictures>>
test.before(async () => {
  pictures = await startPictures()
  api = await startApi()
  admin = await makeAdmin(api)
})
test.after.always(async () => {
  pictures?.close()
  await api?.close()
})

const begin = async () => {
  const organization = await makeOrganization(api)
  const client = await makeClient(api.server, { name: 'Portal', organizationId: organization.id })
  return { organization, client, save: (branding: object) => organization.asOwner('PATCH /settings', { branding }) }
}
const openPage = async (client: Awaited<ReturnType<typeof makeClient>>) => {
  const person = createPerson()
  return person.follow(await person.get((await client.request()).url), redirectUri)
}
/** Signs in, and answers the page that asks for consent. */
const toConsent = async (client: Awaited<ReturnType<typeof makeClient>>) => {
  const person = createPerson()
  const password = await person.follow(
    await person.submit(await person.follow(await person.get((await client.request()).url), redirectUri), { username: bob.email }),
    redirectUri,
  )
  return person.follow(await person.submit(password, { password: bob.password }), redirectUri)
}

test('a logo is fetched at saving and shown from our own origin, and the settings tell the address that was given', async t => {
  const { client, save, organization } = await begin()
  const branding = { logo_url: pictures.at('/logo.png'), logo_dark_url: pictures.at('/dark.png'), favicon_url: pictures.at('/icon.ico') }
  const { status, data } = await save(branding)
  t.is(status, 200)
  t.deepEqual(data.branding, branding)
  t.deepEqual((await organization.asOwner('GET /settings')).data.branding, branding)
  const page = await openPage(client)
  t.true(page.body.includes(`src="${pictureAt(png)}"`))
  t.is(page.body.match(/\/assets\/images\/[0-9a-f]{64}/g)?.length, 3)
  t.false(page.body.includes(new URL(branding.logo_url).host))
  const policy = page.headers.get('content-security-policy') ?? ''
  t.regex(policy, /img-src 'self' data:(?:;|$)/)
})

test('what is kept is served for good, as nothing but a picture', async t => {
  const { save } = await begin()
  t.is((await save({ logo_url: pictures.at('/logo.svg') })).status, 200)
  const answer = await fetch(`${api.server.issuer}${pictureAt(svg)}`)
  t.deepEqual(Buffer.from(await answer.arrayBuffer()), svg)
  for (const [name, value] of Object.entries({
    'content-type': 'image/svg+xml',
    'cache-control': 'public, max-age=31536000, immutable',
    'content-security-policy': "sandbox; default-src 'none'; style-src 'unsafe-inline'",
    'content-disposition': 'attachment',
    'x-content-type-options': 'nosniff',
  }))
    t.is(answer.headers.get(name), value)
  const again = await api.calls.call(pictureAt(svg), { headers: { 'if-none-match': answer.headers.get('etag') ?? '' } })
  t.is(again.status, 304)
  t.is((await fetch(answer.url, { method: 'HEAD' })).headers.get('content-length'), String(svg.length))
  t.is((await fetch(answer.url, { method: 'POST' })).status, 405)
  for (const path of [`/assets/images/${'0'.repeat(64)}`, '/assets/images/', '/assets/images/x', `${pictureAt(svg)}0`])
    t.is((await fetch(`${api.server.issuer}${path}`)).status, 404, path)
})

test('every kind of picture is known by its bytes, whatever its server says', async t => {
  const { save } = await begin()
  for (const path of ['/photo.jpg', '/moving.gif', '/modern.webp', '/largest.png']) t.is((await save({ logo_url: pictures.at(path) })).status, 200, path)
})

test('what is no picture, too large or not to be had is refused at its field, in plain words', async t => {
  const { save } = await begin()
  for (const [path, words] of [
    ['/page.html', /is no PNG, JPEG/],
    ['/script.svg', /SVG without scripts/],
    ['/handler.svg', /SVG without scripts/],
    ['/foreign.svg', /SVG without scripts/],
    ['/comments.svg', /is no PNG/],
    ['/nothing', /is no PNG/],
    ['/large.png', /more than 500 KB/],
    ['/missing.png', /status 404/],
    ['/elsewhere.png', /another address/],
    ['/slow.png', /not answered in time/],
  ] as const) {
    const { status, error } = await save({ logo_dark_url: pictures.at(path) })
    t.is(status, 400, path)
    t.like(error, { details: { fields: [{ path: 'branding.logo_dark_url' }] } })
    t.regex(error?.details.fields?.[0]?.message ?? '', words)
  }
  const unreachable = await save({ logo_url: 'http://127.0.0.1:1/logo.png', favicon_url: 'https://10.0.0.1/icon.png' })
  t.deepEqual(unreachable.error?.details.fields, [
    { path: 'branding.logo_url', message: 'could not be reached' },
    { path: 'branding.favicon_url', message: 'is not a public https address' },
  ])
})

test('a picture that was found once is shown on while its server is away', async t => {
  const { client, save } = await begin()
  const branding = { logo_url: pictures.at('/moving.gif') }
  await save(branding)
  pictures.stop('/moving.gif')
  t.is((await save({ ...branding, name: 'Still here' })).status, 200)
  t.regex((await openPage(client)).body, /class="logo" src="\/assets\/images\//)
})

test('the branding of a client is fetched too, and a preview shows it before it is saved', async t => {
  const { organization, client } = await begin()
  const branding = { logo_url: pictures.at('/logo.png') }
  const preview = await organization.asOwner(`POST /clients/${client.clientId}/preview`, { branding })
  t.true(preview.data.html.includes(`src="${pictureAt(png)}"`))
  t.true(preview.data.html.includes(`img-src ${api.server.issuer} data:`))
  t.is((await organization.asOwner(`PATCH /clients/${client.clientId}`, { branding })).status, 200)
  t.true((await openPage(client)).body.includes(`src="${pictureAt(png)}"`))
  const refused = await api.ask('POST /clients', {
    token: admin,
    body: { name: 'One', redirect_uris: [redirectUri], branding: { logo_url: pictures.at('/page.html') } },
  })
  t.like(refused, { status: 400, error: { details: { fields: [{ path: 'branding.logo_url' }] } } })
})

test('the registered logo of a client is fetched by a job and shown with its consent; one that is not to be had is left out', async t => {
  const logos = [pictures.at('/logo.svg'), pictures.at('/page.html')]
  for (const logo of logos) {
    const client = await makeClient(api.server, { name: 'Shop', isFirstParty: false, metadata: { logo_uri: logo } })
    const path = new URL(logo).pathname
    await until(async () => pictures.asked.includes(path) && (await api.server.resources.database.pool.query('SELECT 1 FROM jobs LIMIT 1')).rows.length === 0)
    await new Promise(resolve => setTimeout(resolve, 1100))
    const page = await toConsent(client)
    t.true(page.body.includes('class="tile"') && page.body.includes('name="decision"'))
    t.is(page.body.includes(`src="${pictureAt(svg)}"`), logo === logos[0])
    t.false(page.body.includes(logo))
  }
})
