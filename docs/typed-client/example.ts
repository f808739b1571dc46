// node docs/typed-client/example.ts http://localhost:3000     signs in, makes an organization, adds members and lists them page by page.
import { ApiError, createClient } from './client.ts'

const origin = process.argv[2] ?? 'http://localhost:3000'

const { data: signedIn } = await createClient(origin).call('post', '/auth/login', {
  body: { email: 'admin@authy2.local', password: 'AdminPass123!' },
})
if (!('token' in signedIn)) throw new Error('a second factor is asked for: POST /auth/mfa with the ticket')
const api = createClient(origin, signedIn.token)
console.log(`Signed in as ${signedIn.user.email}`)

const { data: organization } = await api.call('post', '/organizations', { body: { name: 'Initech' } })
const path = { id: organization.id }
console.log(`Made ${organization.slug}`)

for (const email of ['alice@acme-corp.com', 'bob@acme-corp.com'])
  await api.call('post', '/organizations/{id}/members', { path, body: { email, role: 'member' } })

// A page at a time, until there is no next one.
async function* members() {
  let after: string | undefined
  do {
    const { data, meta } = await api.call('get', '/organizations/{id}/members', { path, query: { limit: 2, after } })
    yield* data
    after = meta.next_cursor ?? undefined
  } while (after !== undefined)
}
for await (const { user, role } of members()) console.log(`Member ${user.email}, ${role}`)

try {
  await api.call('post', '/organizations/{id}/members', { path, body: { email: 'bob@acme-corp.com', role: 'admin' } })
} catch (error) {
  if (!(error instanceof ApiError && error.type === 'CONFLICT')) throw error
  console.log(`Refused: ${error.message}`)
}
