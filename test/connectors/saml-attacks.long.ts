// The corpus of attacks on the SAML connector: each refused, each by its own rule, and each accepted without the attack.
import { randomBytes } from 'node:crypto'
import test from 'ava'
import type { Answer } from '../../src/connectors/connector.ts'
import type { Database } from '../../src/platform/data/database.ts'
import { openTestDatabase } from '../support/database.ts'
import { type Attack, makeCast, type Scene, stage } from '../support/upstreams/saml-attack.ts'
import { bombAttacks } from '../support/upstreams/saml-attacks-bombs.ts'
import { contentAttacks } from '../support/upstreams/saml-attacks-content.ts'
import { formAttacks } from '../support/upstreams/saml-attacks-forms.ts'
import { meaningAttacks } from '../support/upstreams/saml-attacks-meaning.ts'
import { signatureAttacks } from '../support/upstreams/saml-attacks-signatures.ts'
import { transportAttacks } from '../support/upstreams/saml-attacks-transport.ts'
import { wrappingAttacks } from '../support/upstreams/saml-attacks-wrapping.ts'
import { makeConnection, makeConnector, refusalOf } from '../support/upstreams/saml-ground.ts'

const attacks: readonly Attack[] = [
  ...wrappingAttacks,
  ...signatureAttacks,
  ...formAttacks,
  ...contentAttacks,
  ...meaningAttacks,
  ...transportAttacks,
  ...bombAttacks,
]
const cast = makeCast()
const issuer = 'https://idp.example/metadata'
// 50 ms by the plan; machines that do other work as well take 20 times as long.
const maxMilliseconds = 20 * 50
let database: Database

test.before(async () => {
  database = await openTestDatabase()
})
test.after.always(() => database?.close())

const begin = async (attack: Attack) => {
  const pinned = [...(attack.hasManyCertificates ? cast.others : []), cast.provider]
  const certificates = pinned.map(({ certificate }) => certificate)
  const settings = { idp_entity_id: issuer, sso_url: 'https://idp.example/sso', certificates, ...attack.settings }
  const connection = makeConnection(settings)
  const connector = makeConnector(database)
  const wish = { state: randomBytes(16).toString('base64url'), isAgain: false }
  const { kept } = await connector.begin(connection, wish)
  const { entityId, callbackUrl } = connection
  const said = { issuer, entityId, callbackUrl, requestId: kept.id ?? '', now: new Date(), nameId: 'ada', attributes: { mail: 'ada@example.com' } }
  return {
    connection,
    answer: (isAttacked: boolean) => stage(attack, cast, said, wish.state, isAttacked),
    complete: (answer: Answer, by = connector) => by.complete(connection, { ...wish, kept, answer }),
  }
}

for (const attack of attacks) {
  test.serial(attack.name, async t => {
    const { answer, complete } = await begin({ ...attack, signs: attack.settings?.signed ? 'both' : attack.signs })
    t.is((await complete(answer(false))).subject, 'ada')
    const attacked = answer(true)
    const begunAt = performance.now()
    t.deepEqual(await refusalOf(complete(attacked)), { code: 'upstream_answer_invalid', reason: attack.reason })
    const milliseconds = performance.now() - begunAt
    if (attack.name.startsWith('S9')) t.true(milliseconds < maxMilliseconds, `${milliseconds} ms`)
  })
}

test('S6 an assertion is refused the second time, on another process too', async t => {
  const { answer, complete } = await begin({ name: '', reason: 'replayed' })
  const once = answer(false)
  await complete(once)
  for (const connector of [makeConnector(database), makeConnector(database)]) {
    t.deepEqual(await refusalOf(complete(once, connector)), { code: 'upstream_answer_invalid', reason: 'replayed' })
  }
})

test('S6 of ten at once, one assertion signs in once', async t => {
  const { answer, complete } = await begin({ name: '', reason: 'replayed' })
  const once = answer(false)
  const refusals = await Promise.all(Array.from({ length: 10 }, () => refusalOf(complete(once, makeConnector(database)))))
  t.is(refusals.filter(refusal => refusal === undefined).length, 1)
})

test('S6 an answer of yesterday is refused, whatever was kept of its request', async t => {
  const { answer, complete } = await begin({ name: '', reason: 'issued_at' })
  const tomorrow = makeConnector(database, () => new Date(Date.now() + 86_400_000))
  t.deepEqual(await refusalOf(complete(answer(false), tomorrow)), { code: 'upstream_answer_invalid', reason: 'issued_at' })
})

test('S6 an answer for one connection is refused by another of the same provider, though state and request are its own', async t => {
  const one = await begin({ name: '', reason: 'destination' })
  const refused = async (attack: Partial<Attack>) => {
    const other = await begin({ name: 'an answer for one of the callbacks', reason: 'destination', ...attack })
    return refusalOf(other.complete(other.answer(true)))
  }
  const turn = (from: RegExp) => (xml: string, scene: Scene) => xml.replaceAll(from, all => all.replace(scene.said.callbackUrl, one.connection.callbackUrl))
  t.deepEqual(await refused({ prepare: turn(/ (Destination|Recipient)="[^"]*"/g) }), { code: 'upstream_answer_invalid', reason: 'destination' })
  t.deepEqual(await refused({ prepare: turn(/ Recipient="[^"]*"/g) }), { code: 'upstream_answer_invalid', reason: 'recipient' })
  const audience = (xml: string, scene: Scene) => xml.replace(`>${scene.said.entityId}<`, `>${one.connection.entityId}<`)
  t.deepEqual(await refused({ prepare: audience }), { code: 'upstream_answer_invalid', reason: 'audience' })
})

test('the corpus has no two attacks of one name', t => {
  t.is(new Set(attacks.map(({ name }) => name)).size, attacks.length)
  t.true(attacks.length >= 200)
})
