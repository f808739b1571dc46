// What changes over two processes on one PostgreSQL, without Redis: signing keys under load, where relying parties that keep our key set never meet a
// key that they do not know, and what caches hold of clients and organizations.
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { decodeProtectedHeader, jwtVerify } from 'jose'
import { systemActor } from '../../src/platform/actor.ts'
import { basic, service } from '../support/calls.ts'
import { type Cluster, startCluster, whyNoCluster } from '../support/cluster.ts'
import { issue, keptKeys, resource, rotate } from '../support/rotation.ts'
import { until } from '../support/until.ts'

const tokens = 10_000
const rotations = 3
const together = 8
const maxAgeSeconds = 1
const lack = await whyNoCluster()
const testOfCluster = lack === undefined ? test.serial : test.serial.skip

let cluster: Cluster
test.before(async () => {
  if (lack !== undefined) return
  cluster = await startCluster({ size: 2, isRedisUsed: false, settings: { JWKS_MAX_AGE_SECONDS: String(maxAgeSeconds) } })
})
test.after.always(() => cluster?.close())

testOfCluster('of ten thousand tokens none fails to verify while the keys rotate, for whoever keeps the key set as long as it may be kept', async t => {
  const parties = {
    'fetches it when it is stale, and never else': keptKeys(cluster, { cacheMaxAge: maxAgeSeconds * 1000, cooldownDuration: Number.MAX_SAFE_INTEGER }),
    'fetches it for a key that it does not know, and not again so soon': keptKeys(cluster, { cacheMaxAge: Number.POSITIVE_INFINITY, cooldownDuration: 3000 }),
  }
  const failed: string[] = []
  const kids = new Set<string>()
  let [verified, rotated] = [0, 0]
  const work = async () => {
    while (verified < tokens || rotated < rotations) {
      const token = await issue(cluster)
      kids.add(decodeProtectedHeader(token).kid ?? '')
      for (const [name, keys] of Object.entries(parties))
        await jwtVerify(token, keys, { issuer: cluster.issuer, audience: resource }).catch(error => failed.push(`${name}: ${error}`))
      verified += 1
    }
  }
  const turn = async () => {
    for (; rotated < rotations; rotated += 1) {
      await rotate(cluster)
      await until(() => kids.size >= rotated + 2)
      // Longer than a key set may be kept: each is verified with those of before and after.
      await sleep(maxAgeSeconds * 1500)
    }
  }
  await Promise.all([turn(), ...Array.from({ length: together }, work)])
  t.deepEqual(failed.slice(0, 5), [])
  t.is(kids.size, rotations + 1)
  t.log(`${verified} tokens under ${kids.size} keys, ${failed.length} failed`)
})

testOfCluster('a key that was revoked elsewhere soon signs and verifies nothing in any process', async t => {
  const token = await issue(cluster)
  const { kid = '' } = decodeProtectedHeader(token)
  await cluster.withServices(({ signingKeys }) => signingKeys.revoke(systemActor, { kid }))
  const isGone = async () => {
    const { json } = await cluster.calls.post('/oauth2/introspect', { token }, { authorization: basic(service) })
    const { body } = await cluster.calls.call('/oauth2/jwks')
    return json.active === false && !body.includes(kid) && decodeProtectedHeader(await issue(cluster)).kid !== kid
  }
  // Three questions a time, by turns: each process is asked all of them.
  await until(async () => (await isGone()) && (await isGone()))
  t.pass()
})

testOfCluster('a redirect address and the colours of an organization and of its client that change in one process are soon so in every other', async t => {
  const [was, becomes] = ['https://was.example/callback', 'https://becomes.example/callback']
  const clientId = 'rebranded'
  const pkce = { code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256' }
  const visit = async (redirectUri: string) => {
    const parameters = { client_id: clientId, redirect_uri: redirectUri, response_type: 'code', scope: 'openid', ...pkce }
    const begun = await cluster.calls.call(`/oauth2/authorize?${new URLSearchParams(parameters)}`, { headers: { accept: 'text/html' } })
    if (begun.status !== 303) return { status: begun.status, body: begun.body }
    const cookie = [begun.headers['set-cookie'] ?? []].flat().map(one => one.split(';')[0])
    const { pathname } = new URL(String(begun.headers.location), cluster.issuer)
    const page = await cluster.calls.call(pathname, { headers: { accept: 'text/html', cookie: cookie.join('; ') } })
    return { status: begun.status, body: page.body }
  }
  // The clock of the other stands still: what it holds is never too old, and only what it hears of ends it.
  const at = new Date()
  await cluster.withServices(here =>
    cluster.withServices(
      async there => {
        const { id } = await here.organizations.create(systemActor, { name: 'Rebranded' })
        const given = { clientId, name: 'Rebranded', organizationId: id, isFirstParty: true, grantTypes: ['authorization_code'] } as const
        await here.clients.create(systemActor, { ...given, authenticationMethod: 'none', redirectUris: [was] })
        await there.feed.look()
        const held = async () => {
          const [client, settings, look] = [await there.clients.find(clientId), await there.organizationSettings.find(id), await there.findLook(clientId)]
          return [client?.metadata.redirect_uris, settings?.branding.primary_color, look?.branding.primaryColor]
        }
        t.deepEqual(await held(), [[was], undefined, undefined])
        for (let turn = 0; turn < 2; turn += 1) t.is((await visit(was)).status, 303)
        await here.clientAdministration.update(systemActor, { id: clientId }, { redirectUris: [becomes] })
        await here.organizationSettings.update(systemActor, id, { branding: { primary_color: '#7a1fa2' } })
        t.deepEqual(await held(), [[was], undefined, undefined])
        await there.feed.look()
        t.deepEqual(await held(), [[becomes], '#7a1fa2', '#7a1fa2'])
      },
      { now: () => at },
    ),
  )
  // By turns: each of the two is asked for both.
  const isThere = async () => {
    const [old, young] = [await visit(was), await visit(becomes)]
    return old.status === 400 && young.status === 303 && young.body.includes('#7a1fa2')
  }
  await until(async () => (await isThere()) && (await isThere()) && (await isThere()))
})
