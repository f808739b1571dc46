// The page of one's agents: made with a secret that is shown once, disabled and deleted.
import test from 'ava'
import * as client from 'openid-client'
import { maxAgents } from '../../src/clients/agent.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { plant } from '../support/canaries.ts'
import { refusal } from '../support/clients.ts'
import { createPerson } from '../support/person.ts'
import { createRelyingParty, redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

const path = '/account/agents'
const newcomer = async (headers: Record<string, string> = {}) => {
  const user = await makeUser(server)
  const person = createPerson(headers)
  const open = async () => {
    let page = await person.follow(await person.get(new URL(path, server.issuer)), 'nowhere')
    for (let step = 0; step < 4 && page.body.includes('/interaction/'); step += 1)
      page = await person.follow(await person.submit(page, { username: user.email, password: user.password }), 'nowhere')
    return page
  }
  const submit = async (page: Awaited<ReturnType<typeof open>>, values: Record<string, string>) => person.follow(await person.submit(page, values), 'nowhere')
  return { user, person, open, submit }
}
const codeIn = (body: string, id: string) => new RegExp(`id="${id}"[^>]*>([^<]+)<`).exec(body)?.[1] ?? ''

test('a person makes an agent whose secret is shown once and works, and ends it', async t => {
  const { open, submit } = await newcomer()
  const made = await submit(await open(), { agent_name: 'Acme Helper', redirect_uris: redirectUri })
  t.is(made.url.pathname, path)
  t.true(made.body.includes('The agent was made'))
  const [clientId, secret] = [codeIn(made.body, 'client-id'), plant(codeIn(made.body, 'secret'))]
  const again = await open()
  t.true(again.body.includes('Acme Helper'))
  t.false(again.body.includes(secret))
  const { configuration } = await createRelyingParty(server.issuer, { clientId, secret })
  t.truthy((await client.clientCredentialsGrant(configuration)).access_token)
  const id = /name="disable" value="([^"]+)"/.exec(again.body)?.[1] ?? ''
  const disabled = await submit(again, { disable: id })
  t.true(disabled.body.includes('Disabled'))
  t.is(await refusal(client.clientCredentialsGrant(configuration)), 'invalid_client')
  const removed = await submit(disabled, { remove: id })
  t.false(removed.body.includes('Acme Helper'))
})

test('what is wrong with an agent is told beside its field', async t => {
  const { open, person } = await newcomer()
  const page = await open()
  const nameless = await person.submit(page, { agent_name: '' })
  t.is(nameless.status, 400)
  t.true(nameless.body.includes('agent-name-error'))
  const insecure = await person.submit(page, { agent_name: 'X', redirect_uris: 'http://elsewhere.example/callback' })
  t.is(insecure.status, 400)
  t.true(insecure.body.includes('redirect-error'))
  t.true(insecure.body.includes('This is not valid.'))
})

test('whoever has as many agents as one may have is told so, in their language', async t => {
  const { user, open, person } = await newcomer({ 'accept-language': 'fr' })
  for (let n = 0; n < maxAgents; n += 1) {
    const agent = { clientId: `${user.id}-${n}`, name: `Agent ${n}`, isAgent: true, ownerUserId: user.id } as const
    await server.services.clients.create(systemActor, { ...agent, authenticationMethod: 'client_secret_basic', grantTypes: ['client_credentials'] })
  }
  const refused = await person.submit(await open(), { agent_name: 'One more' })
  t.is(refused.status, 409)
  t.true(refused.body.includes('nombre maximal d’agents'))
})
