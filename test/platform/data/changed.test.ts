// What the events of changes call the fields that were changed: as the API calls them, all of them, and nothing else.
import test from 'ava'
import { inputSchema, namesIn } from '../../../src/api/json-schema.ts'
import { makeAdmin, startApi, type TestApi } from '../../support/api.ts'
import { type Kind, kindsOf } from '../../support/versioned.ts'

let api: TestApi
let admin: string
let kinds: Readonly<Record<string, Kind>>
test.before(async () => {
  api = await startApi()
  admin = await makeAdmin(api)
  kinds = await kindsOf(api)
})
test.after.always(() => api?.close())

const webhook = { name: 'Another', url: 'https://hooks.example/other', events: ['user.deleted'], disabled: true }
const resourceServer = {
  name: 'Another',
  scopes: [{ name: 'read', description: 'Reads all' }],
  token_format: 'opaque',
  signing_algorithm: 'RS256',
  access_token_ttl_seconds: 60,
  allows_offline_access: true,
  requires_permissions: true,
  client_access: 'listed',
  user_access: 'listed',
  clients: [],
  authorization_details_types: [],
  disabled: true,
}
const connection = {
  name: 'Another',
  settings: { issuer: 'http://localhost:9', client_id: 'other' },
  secrets: { client_secret: 'made up for another provider' },
  creates_users: false,
  position: 3,
  disabled: true,
}
const person = { full_name: 'Another', picture: 'https://one.example/me.png', locale: 'de' }

/** Of each kind whose events tell it, a change of all that can be changed. */
const changes: Readonly<Record<string, object>> = {
  '/users/me': person,
  '/users/:id': { ...person, email: 'another@people.example', email_verified: true, system_role: 'admin' },
  '/organizations/:id': { name: 'Another', slug: 'another', description: 'Works', mfa_required: false },
  '/organizations/:id/settings': { branding: { name: 'Another' }, sign_up: 'closed', mfa_required: false },
  '/organizations/:id/roles/:roleId': { name: 'another', description: 'Another', permissions: ['members:read'], resource_scopes: [] },
  '/resource-servers/:id': resourceServer,
  '/organizations/:id/resource-servers/:resourceServerId': resourceServer,
  '/connections/:id': { ...connection, trusts_emails: true },
  '/organizations/:id/connections/:connectionId': { ...connection, membership: { default: 'member' } },
  '/webhooks/:id': webhook,
  '/organizations/:id/webhooks/:webhookId': webhook,
}
/** What can be said instead of settings, and is told as these. */
const documents = ['metadata_xml', 'metadata_url']
/** Whose events do not tell what was changed. */
const silent = ['/clients/:id', '/organizations/:id/clients/:clientId', '/organizations/:id/domains/:domainId']

/** What is said as it is already. */
const same: Readonly<Record<string, readonly string[]>> = { '/organizations/:id/settings': ['mfa_required'] }

for (const [path, body] of Object.entries(changes))
  test(`the event of a change of ${path} names the fields as the API does`, async t => {
    const thing = await kinds[path]?.make()
    if (!thing) return t.fail()
    const { token, at } = thing
    t.is((await api.ask(`PATCH ${at}`, { token, body })).status, 200)
    const id = at === '/users/me' ? (await api.ask('GET /users/me', { token })).data.id : at.replace('/settings', '').split('/').at(-1)
    const { data: events } = await api.ask(`GET /audit-logs?target=${id}`, { token: admin })
    const told = events.find(({ target }: { target: { details: object } }) => 'changed' in target.details).target.details.changed
    t.deepEqual([...new Set(told)].toSorted(), told.toSorted(), 'each once')
    t.deepEqual(
      told.map((name: string) => name.replace('branding.name', 'branding')).toSorted(),
      Object.keys(body)
        .filter(name => !same[path]?.includes(name))
        .toSorted(),
    )
    const route = api.server.app.api.routes.find(one => one.method === 'PATCH' && one.path === path)
    t.deepEqual(
      Object.keys(body).toSorted(),
      namesIn(inputSchema(route?.body as never))
        .filter(name => !documents.includes(name))
        .toSorted(),
      'all that can be',
    )
  })

test('every kind of thing that is changed is among them', t => {
  const changed = Object.entries(kinds).flatMap(([path, { writes }]) => (writes.some(({ operation }) => operation === 'PATCH') ? [path] : []))
  t.deepEqual(changed.toSorted(), [...Object.keys(changes), ...silent].toSorted())
})
