// Keys behind `jwks_uri`: a client's own server changes them, goes down and comes back, and ours goes by what it said last.

import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import * as client from 'openid-client'
import { systemActor } from '../../src/platform/actor.ts'
import { makeClient } from '../support/clients.ts'
import { assertionOf, jwksOf, type Keys, makeKeys, post } from '../support/protected-clients.ts'
import { startServer, type TestServer } from '../support/server.ts'

let aheadSeconds = 0
let server: TestServer
test.before(async () => {
  server = await startServer({ now: () => new Date(Date.now() + aheadSeconds * 1000) })
})
const sources: Server[] = []
test.after.always(async () => {
  for (const source of sources) {
    source.close()
    source.closeAllConnections()
  }
  await server?.close()
})

/** A client with a server of its own. */
const publishing = async (...keys: readonly Keys[]) => {
  const state = { body: JSON.stringify(await jwksOf(...keys)), status: 200, headers: {} as Record<string, string>, asked: 0 }
  const source: Server = createServer((_request, response) => {
    state.asked += 1
    response.writeHead(state.status, { 'content-type': 'application/json', ...state.headers }).end(state.body)
  }).listen(0, '127.0.0.1')
  await once(source, 'listening')
  const { port } = source.address() as AddressInfo
  const [first] = keys
  const { clientId } = await makeClient(server, {
    authenticationMethod: 'private_key_jwt',
    grantTypes: ['client_credentials'],
    metadata: { jwks_uri: `http://127.0.0.1:${port}/jwks` },
    auth: client.None(),
  })
  const opens = async (by: Keys | undefined = first) =>
    (await post(`${server.issuer}/oauth2/token`, { grant_type: 'client_credentials', ...(await assertionOf(server, { clientId, keys: by as Keys })) }))
      .status === 200
  sources.push(source)
  return { state, clientId, opens, publish: async (...next: readonly Keys[]) => Object.assign(state, { body: JSON.stringify(await jwksOf(...next)) }) }
}
const later = (seconds: number) => {
  aheadSeconds += seconds
}

test.serial('a client that was changed meanwhile, but not what the engine knows of it, goes on with its keys', async t => {
  const key = await makeKeys()
  const own = await publishing(key)
  t.true(await own.opens(key))
  for (const refreshGraceSeconds of [1, 2, 3]) {
    later(10)
    await server.services.clientAdministration.update(systemActor, { id: own.clientId }, { refreshGraceSeconds })
    t.true(await own.opens(key))
  }
  for (const seconds of [25, 10, 10, 10, 10, 10, 10, 10]) {
    later(seconds)
    t.true(await own.opens(key))
  }
})

test.serial('keys are asked for once, and again when they are due: the new one opens, the old one no more', async t => {
  const [old, young] = await Promise.all([makeKeys(), makeKeys()])
  const own = await publishing(old)
  t.true(await own.opens(old))
  t.true(await own.opens(old))
  t.is(own.state.asked, 1)
  await own.publish(young)
  later(61)
  t.false(await own.opens(old), 'though nobody showed the new one yet')
  t.true(await own.opens(young))
  t.is(own.state.asked, 2)
})

test.serial('a new key is found before the old ones are due, a minute after they were asked for', async t => {
  const [old, young] = await Promise.all([makeKeys(), makeKeys()])
  const own = await publishing(old)
  own.state.headers = { 'cache-control': 'max-age=86400' }
  t.true(await own.opens(old))
  await own.publish(old, young)
  t.false(await own.opens(young))
  later(61)
  t.true(await own.opens(old))
  t.is(own.state.asked, 1)
  t.true(await own.opens(young))
  t.is(own.state.asked, 2)
})

test.serial('a key that is gone is refused in a quarter of an hour, however long its server says it may be kept', async t => {
  const old = await makeKeys()
  const own = await publishing(old)
  own.state.headers = { 'cache-control': 'max-age=31536000' }
  t.true(await own.opens(old))
  await own.publish(await makeKeys())
  later(899)
  t.true(await own.opens(old))
  later(2)
  t.false(await own.opens(old))
})

test.serial('strangers’ signatures, however many, have the keys asked for once a minute', async t => {
  const [old, stranger] = await Promise.all([makeKeys(), makeKeys()])
  const own = await publishing(old)
  for (let round = 0; round < 2; round += 1) {
    t.deepEqual(await Promise.all(Array.from({ length: 10 }, () => own.opens(stranger))), Array(10).fill(false))
    t.is(own.state.asked, round + 1)
    later(61)
  }
  t.deepEqual(await Promise.all(Array.from({ length: 5 }, () => own.opens(old))), Array(5).fill(true))
  t.is(own.state.asked, 3)
})

test.serial('while its server is down a client goes on for an hour with the keys that were known, and its server is not pressed', async t => {
  const old = await makeKeys()
  const own = await publishing(old)
  t.true(await own.opens(old))
  own.state.status = 503
  later(61)
  t.true(await own.opens(old))
  t.true(await own.opens(old))
  t.is(own.state.asked, 2)
  Object.assign(own.state, { status: 200, body: 'no JSON' })
  later(11)
  t.true(await own.opens(old))
  later(3600)
  t.false(await own.opens(old))
  await own.publish(old)
  later(11)
  t.true(await own.opens(old))
})

test.serial('a client whose server never answered is refused, and not asked after each time', async t => {
  const own = await publishing(await makeKeys())
  own.state.status = 500
  t.false(await own.opens())
  t.false(await own.opens())
  t.is(own.state.asked, 1)
  own.state.status = 200
  later(11)
  t.true(await own.opens())
})
