// What an organization sets: its policy, and how its and its clients' pages look: parsed strictly, shown in order; and how it is found by its name.
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { startApi, type TestApi } from '../support/api.ts'
import { makeClient } from '../support/clients.ts'
import { enrolTotp } from '../support/factors.ts'
import { createPerson } from '../support/person.ts'
import { dark, pictureAt, png, startPictures, svg } from '../support/pictures.ts'
import { bob, redirectUri } from '../support/relying-party.ts'

let api: TestApi
let pictures: Awaited<ReturnType<typeof startPictures>>
test.before(async () => {
  pictures = await startPictures()
  full.logo_url = pictures.at('/logo.svg')
  api = await startApi()
  const person = await api.signIn()
  await api.server.services.userAdministration.update(systemActor, person.id as never, { isAdmin: true })
  admin = person.token
  for (const [index, name] of ['Only mine', '100 % Wolle', 'snake_case', 'back\\slash', "O'Brien", 'CAFÉ Übersee', 'Ελλάδα', 'a+b'].entries())
    await api.server.services.organizations.create(systemActor, { slug: `searched-${index}`, name })
})
test.after.always(async () => {
  pictures?.close()
  await api?.close()
})

/** Makes an organization, its owner and a client of it. */
const begin = async () => {
  const owner = await api.signIn()
  const { organizations } = api.server.services
  const { id } = await organizations.create(systemActor, { name: 'Nordlicht', ownerId: owner.id })
  const client = await makeClient(api.server, { name: 'Portal', organizationId: id })
  const patch = (branding: unknown) => api.ask(`PATCH /organizations/${id}/settings`, { token: owner.token, body: { branding } })
  const patchClient = (branding: unknown) => api.ask(`PATCH /organizations/${id}/clients/${client.clientId}`, { token: owner.token, body: { branding } })
  const open = async (headers: Record<string, string> = {}) => {
    const person = createPerson(headers)
    return { person, page: await person.follow(await person.get((await client.request()).url), redirectUri) }
  }
  return { id, owner, client, patch, patchClient, open }
}

const pixel = `data:image/png;base64,${Buffer.from('pixel').toString('base64')}`
const full = {
  name: 'Nordlicht Energie',
  logo_url: '',
  logo_dark_url: pixel,
  favicon_url: pixel,
  primary_color: '#0b0b3b',
  background_color: '#fff',
  radius: '4px',
  support_url: 'mailto:help@nordlicht.example',
  terms_url: 'https://nordlicht.example/terms',
  privacy_url: 'https://nordlicht.example/privacy',
}

test('an organization’s branding is kept as it was given and shown on every page of the sign-in', async t => {
  const { id, owner, patch, open } = await begin()
  const answer = await patch(full)
  t.is(answer.status, 200)
  t.deepEqual(answer.data.branding, full)
  t.deepEqual((await api.ask(`GET /organizations/${id}/settings`, { token: owner.token })).data, answer.data)
  const { person, page } = await open()
  const password = await person.follow(await person.submit(page, { username: bob.email }), redirectUri)
  for (const { body } of [page, password, await person.submit(password, { password: 'wrong' })])
    for (const part of [
      'Nordlicht Energie</title>',
      `src="${pictureAt(svg)}" alt="Nordlicht Energie"`,
      `srcset="${pixel}"`,
      `<link rel="icon" href="${pixel}">`,
      '--brand:#0b0b3b;--on-brand:#ffffff',
      '--radius:4px',
      'href="https://nordlicht.example/terms"',
      'href="https://nordlicht.example/privacy"',
      'href="mailto:help@nordlicht.example"',
    ])
      t.true(body.includes(part), part)
})

test('the branding of the organization comes before that of the client, and the client’s before the system’s', async t => {
  const { patch, patchClient, open } = await begin()
  t.true((await open()).page.body.includes('Authy2</title>'))
  const own = await patchClient({
    name: 'Portal look',
    primary_color: '#123456',
    logo_url: pictures.at('/logo.svg'),
    logo_dark_url: pictures.at('/dark.png'),
  })
  t.is(own.status, 200)
  t.is(own.data.branding.name, 'Portal look')
  const first = (await open()).page.body
  t.true(first.includes('Portal look</title>') && first.includes('--brand:#123456') && first.includes(pictureAt(dark)))

  await patch({ name: 'Nordlicht', logo_url: pictures.at('/logo.png') })
  const second = (await open()).page.body
  t.true(second.includes('Nordlicht</title>') && second.includes('--brand:#123456') && second.includes(pictureAt(png)))
  t.false(second.includes(pictureAt(dark)))

  await patch({})
  t.true((await open()).page.body.includes('Portal look</title>'))
  await patchClient({})
  t.true((await open()).page.body.includes('Authy2</title>'))
})

test('the pages of the engine wear the client’s branding', async t => {
  const { client, patch } = await begin()
  await patch({ name: 'Nordlicht' })
  const { person } = await client.signIn()
  const at = (path: string, who = person) => who.get(`${api.server.issuer}${path}`)
  t.true((await at(`/oauth2/logout?client_id=${client.clientId}`)).body.includes('Sign out · Nordlicht'))
  t.true((await at(`/oauth2/logout?client_id=${client.clientId}`, createPerson())).body.includes('Continue · Nordlicht'))
  t.true((await at(`/oauth2/authorize?client_id=${client.clientId}&redirect_uri=https://x.example`)).body.includes('Something went wrong · Nordlicht'))
  t.true((await at('/device')).body.includes('Connect a device · Authy2'))
})

test('an organization’s language is that of those who wish for none of ours', async t => {
  const { patch, open } = await begin()
  await patch({ default_language: 'ja' })
  t.is((await open()).page.headers.get('content-language'), 'ja')
  t.is((await open({ 'accept-language': 'fi' })).page.headers.get('content-language'), 'ja')
  t.is((await open({ 'accept-language': 'de' })).page.headers.get('content-language'), 'de')
  await patch({ default_language: 'fi' })
  t.is((await open()).page.headers.get('content-language'), 'en')
})

const unsafe: readonly (readonly [string, unknown])[] = [
  ...[
    'javascript:alert(1)',
    'http://a.example/logo.png',
    'data:text/html;base64,AAAA',
    'data:image/svg+xml,<svg onload=alert(1)>',
    '//a.example/x',
    '/logo.png',
    'https://u:p@a.example/',
  ].flatMap(value => [['logo_url', value] as const, ['logo_dark_url', value] as const, ['favicon_url', value] as const, ['terms_url', value] as const]),
  ['logo_url', `data:image/png;base64,${'A'.repeat(20_000)}`],
  ['terms_url', 'mailto:a@b.example'],
  ['support_url', 'javascript:alert(1)'],
  ...['red', '#12', '#fff;}', 'url(https://x.example)', '#fff\n', ' #fff', '</style>', 'var(--x)'].flatMap(value => [
    ['primary_color', value] as const,
    ['primary_text_color', value] as const,
    ['background_color', value] as const,
  ]),
  ['radius', '25px'],
  ['radius', '4px;}'],
  ['name', ''],
  ['name', 'a\0b'],
  ['name', 'x'.repeat(101)],
  ['default_language', '../de'],
  ['custom_css', 'a'],
  ['__proto__x', 'a'],
]
test('what is unsafe is refused, for organizations and clients alike', async t => {
  const { patch, patchClient } = await begin()
  for (const [field, value] of unsafe)
    for (const answer of [await patch({ [field]: value }), await patchClient({ [field]: value })])
      t.is(answer.status, 400, `${field} ${String(value).slice(0, 40)}`)
  for (const branding of [null, [], 'x', 1]) t.is((await patch(branding)).status, 400)
})

test('a name with marks of HTML is shown as text', async t => {
  const { patch, open } = await begin()
  await patch({ name: '</title><script>alert(1)</script>' })
  t.false((await open()).page.body.includes('<script>alert'))
})

test('colours that cannot be read are taken with a warning', async t => {
  const { patch, patchClient } = await begin()
  const { data } = await patch({ primary_color: '#ffe81a', primary_text_color: '#ffffff' })
  t.deepEqual(
    data.warnings.map(({ path }: { path: string }) => path),
    ['primary_text_color', 'primary_color'],
  )
  t.regex(data.warnings[0].message, /#000000/)
  t.is((await patchClient({ primary_color: '#0b0b3b' })).data.warnings.length, 1)
  t.deepEqual((await patch({ name: 'Plain' })).data.warnings, [])
})

test('a change is told by its names, without images, and only over what was read', async t => {
  const { id, owner, patch } = await begin()
  const { headers } = await patch({ name: 'Nordlicht', logo_url: pixel })
  const { rows } = await api.server.resources.database.pool.query(
    "SELECT target::text FROM audit_events WHERE action = 'organization.settings_updated' AND organization_id = $1",
    [id],
  )
  t.is(rows.length, 1)
  t.deepEqual(JSON.parse(rows[0].target).changed, ['branding.name', 'branding.logo_url'])
  t.false(rows[0].target.includes('base64'))
  const write = (match: string) =>
    api.ask(`PATCH /organizations/${id}/settings`, { token: owner.token, body: { branding: {} }, headers: { 'if-match': match } })
  t.is((await write('"other"')).status, 412)
  t.is((await write(String(headers.etag))).status, 200)
})

test('what is taken away is told too, and what changes nothing is no change', async t => {
  const { id, owner, patch } = await begin()
  const { data, headers } = await patch({ name: 'Nordlicht', primary_color: '#0b0b3b', radius: '4px' })
  const ask = (body: unknown, match = '*') => api.ask(`PATCH /organizations/${id}/settings`, { token: owner.token, body, headers: { 'if-match': match } })
  for (const body of [{}, { branding: data.branding }, { sign_up: 'open', mfa_required: false }]) {
    const answer = await ask(body)
    t.deepEqual([answer.status, answer.headers.etag, answer.data], [200, headers.etag, data])
    t.is((await ask(body, '"other"')).status, 412)
  }
  await patch({ name: 'Nordlicht', radius: '5px', support_url: 'https://nordlicht.example/' })
  await patch({})
  const { rows } = await api.server.resources.database.pool.query(
    "SELECT target->'changed' AS changed FROM audit_events WHERE action = 'organization.settings_updated' AND organization_id = $1 ORDER BY seq",
    [id],
  )
  t.deepEqual(
    rows.map(({ changed }) => changed.toSorted()),
    [
      ['branding.name', 'branding.primary_color', 'branding.radius'],
      ['branding.primary_color', 'branding.radius', 'branding.support_url'],
      ['branding.name', 'branding.radius', 'branding.support_url'],
    ],
  )
})

test('members read, managers write, and strangers are told nothing', async t => {
  const { id, owner } = await begin()
  const [member, stranger] = [await api.signIn(), await api.signIn()]
  await api.ask(`POST /organizations/${id}/members`, { token: owner.token, body: { user_id: member.id } })
  const read = (token?: string) => api.ask(`GET /organizations/${id}/settings`, { token })
  const write = (token?: string) => api.ask(`PATCH /organizations/${id}/settings`, { token, body: { branding: {} } })
  t.deepEqual(
    [(await read(owner.token)).status, (await read(member.token)).status, (await read(stranger.token)).status, (await read()).status],
    [200, 200, 404, 401],
  )
  t.deepEqual(
    [(await write(owner.token)).status, (await write(member.token)).status, (await write(stranger.token)).status, (await write()).status],
    [200, 403, 404, 401],
  )
})

test('the policy on sign-up and second factors is open at first, set by itself, told in the log, and the same wherever it is read', async t => {
  const { id, owner, patch } = await begin()
  const factor = await enrolTotp(api.server, owner)
  await api.ask('POST /auth/reauthenticate', { token: owner.token, body: { factor: 'totp', code: await factor.code() } })
  const ask = (operation: string, body?: unknown) => api.ask(operation, { token: owner.token, body })
  const policy = ({ data: { sign_up, mfa_required } }: Awaited<ReturnType<typeof ask>>) => ({ sign_up, mfa_required })
  t.deepEqual(policy(await ask(`GET /organizations/${id}/settings`)), { sign_up: 'open', mfa_required: false })
  t.deepEqual(policy(await ask(`PATCH /organizations/${id}/settings`, { sign_up: 'closed' })), { sign_up: 'closed', mfa_required: false })
  t.deepEqual(policy(await ask(`PATCH /organizations/${id}/settings`, { mfa_required: true })), { sign_up: 'closed', mfa_required: true })
  t.deepEqual(policy(await patch({})), { sign_up: 'closed', mfa_required: true })
  t.true((await ask(`GET /organizations/${id}`)).data.mfa_required)
  await ask(`PATCH /organizations/${id}`, { mfa_required: false })
  t.deepEqual(policy(await ask(`GET /organizations/${id}/settings`)), { sign_up: 'closed', mfa_required: false })
  const { rows } = await api.server.resources.database.pool.query(
    "SELECT target->'changed' AS changed FROM audit_events WHERE action = 'organization.settings_updated' AND organization_id = $1 ORDER BY seq",
    [id],
  )
  t.deepEqual(
    rows.map(({ changed }) => changed),
    [['sign_up'], ['mfa_required']],
  )
  for (const body of [{ sign_up: 'ajar' }, { sign_up: null }, { sign_up: true }, { mfa_required: 'yes' }, { is_sign_up_open: true }])
    t.is((await ask(`PATCH /organizations/${id}/settings`, body)).status, 400)
})

let admin: string

const found = async (query: string) => (await api.ask(`GET /organizations?q=${query}`, { token: admin })).data.map(({ name }: { name: string }) => name)

for (const [typed, name] of [
  ['only mine', 'Only mine'],
  ['ONLY MINE', 'Only mine'],
  [' only mine ', 'Only mine'],
  ['0 %', '100 % Wolle'],
  ['e_c', 'snake_case'],
  ['k\\s', 'back\\slash'],
  ["o'b", "O'Brien"],
  ['café übersee', 'CAFÉ Übersee'],
  ['café'.normalize('NFD'), 'CAFÉ Übersee'],
  ['ΕΛΛΆΔΑ', 'Ελλάδα'],
  ['a+b', 'a+b'],
  ['SEARCHED-6', 'Ελλάδα'],
] as const)
  test(`«${typed}»${typed === typed.normalize() ? '' : ' (decomposed)'} finds ${name} alone`, async t =>
    t.deepEqual(await found(encodeURIComponent(typed)), [name]))

test('a plus is a space, as forms write it, and an encoded one is itself', async t => {
  t.deepEqual(await found('only+mine'), ['Only mine'])
  t.deepEqual(await found('a%2Bb'), ['a+b'])
})

test('what stands for anything elsewhere stands for itself', async t => {
  for (const typed of ['%', '_', '\\'])
    t.deepEqual(await found(encodeURIComponent(typed)), { '%': ['100 % Wolle'], _: ['snake_case'], '\\': ['back\\slash'] }[typed], typed)
})

test('whoever is made administrator sees all at the next request', async t => {
  const { id, token } = await api.signIn()
  const total = async () => (await api.ask('GET /organizations?q=only+mine', { token })).meta?.total
  t.is(await total(), 0)
  await api.server.services.userAdministration.update(systemActor, id as never, { isAdmin: true })
  t.is(await total(), 1)
})
