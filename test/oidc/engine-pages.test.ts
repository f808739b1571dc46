// The sign-out page asks, unless the client proves that it knows who is signed in (RP-Initiated Logout 1.0 §2).
import test from 'ava'
import * as client from 'openid-client'
import { makeClient, type TestClient } from '../support/clients.ts'
import type { Person } from '../support/person.ts'
import { alice, bob } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

/** Whether the sign-out page submits itself where there is script. */
const isAutomatic = async (person: Person, { configuration }: TestClient, hint: string | undefined) => {
  const page = await person.get(client.buildEndSessionUrl(configuration, hint ? { id_token_hint: hint } : {}))
  return page.body.includes('data-automatic')
}

for (const [name, metadata] of [
  ['without `sid`', {}],
  ['with `sid`', { backchannel_logout_uri: 'https://client.example/logout', backchannel_logout_session_required: true }],
] as const)
  test(`the ID token of whoever is signed in, ${name}, signs out unasked; another user’s and none do not`, async t => {
    const made = await makeClient(server, { metadata })
    const bobs = await made.signIn({ who: bob })
    const alices = await made.signIn({ who: alice })
    t.is('sid' in (bobs.tokens.claims() ?? {}), 'backchannel_logout_uri' in metadata)
    t.true(await isAutomatic(bobs.person, made, bobs.tokens.id_token))
    t.false(await isAutomatic(bobs.person, made, alices.tokens.id_token))
    t.false(await isAutomatic(bobs.person, made, undefined))
  })

test('an ID token of a client that is not signed in at here asks', async t => {
  const [here, elsewhere] = [await makeClient(server), await makeClient(server)]
  const { person } = await here.signIn({ who: bob })
  const other = await elsewhere.signIn({ who: bob })
  t.false(await isAutomatic(person, elsewhere, other.tokens.id_token))
})

test('a pairwise subject asks', async t => {
  const made = await makeClient(server, { metadata: { subject_type: 'pairwise' } })
  const { person, tokens } = await made.signIn({ who: bob })
  t.false(await isAutomatic(person, made, tokens.id_token))
})
