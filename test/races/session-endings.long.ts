// Sessions that end in every way at once: nobody waits for another for ever, and each client is told once of each session.
import test from 'ava'
import type { OrganizationId } from '../../src/organizations/organization.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { Problem } from '../../src/platform/errors.ts'
import { makeClient } from '../support/clients.ts'
import { startLogoutReceiver } from '../support/logout-receiver.ts'
import { makeOrganizationOf } from '../support/organizations.ts'
import { startServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { makeUser } from '../support/users.ts'

const rounds = 6
const people = 4
const browsers = 3

test('however many endings race, each client is told once of each session', async t => {
  t.timeout(300_000)
  const server = await startServer()
  t.teardown(server.close)
  const receiver = await startLogoutReceiver()
  t.teardown(receiver.close)
  const { services, resources } = server
  const metadata = { backchannel_logout_uri: receiver.uri, backchannel_logout_session_required: true }
  const [portal, shop] = [await makeClient(server, { metadata }), await makeClient(server, { metadata })]

  const makeSignedIn = async () => {
    const who = await makeUser(server)
    for (let browser = 0; browser < browsers; browser += 1) {
      const { person } = await portal.signIn({ who })
      await person.get((await shop.request()).url)
    }
    return who
  }
  const endings = ({ id }: Awaited<ReturnType<typeof makeUser>>) => {
    const actor = { ...systemActor, kind: 'user', id, userId: id } as const
    return [
      services.userAdministration.suspend(systemActor, id as never),
      services.userAdministration.endSessions(systemActor, id as never),
      services.apiSessions.endOthers(actor, { userId: id }),
      services.signIn.setPassword(systemActor, { id, password: 'another violet umbrella' }),
      ...[portal, shop].map(({ clientId }) => services.consents.revoke(actor, { userId: id, clientId })),
    ]
  }
  const sweep = () => resources.database.prisma.$transaction(tx => services.endings.ofExpired(tx, 100))

  for (let round = 0; round < rounds; round += 1) {
    const made = []
    while (made.length < people) made.push(await makeSignedIn())
    await resources.database.pool.query("UPDATE oidc_artifacts SET expires_at = now() - interval '1 day' WHERE kind = 'Session' AND random() < 0.5")
    const ended = await Promise.allSettled([...made.flatMap(endings), sweep(), sweep(), sweep()])
    const faults = ended.flatMap(one => (one.status === 'rejected' && !(one.reason instanceof Problem) ? [String(one.reason)] : []))
    t.deepEqual(faults, [])
  }
  const expected = rounds * people * browsers * 2
  await until(async () => (await resources.database.prisma.job.count()) === 0, 120)
  t.is(receiver.posted.length, expected)
  const claims = receiver.posted.map(({ form }) => JSON.parse(Buffer.from(form.get('logout_token')?.split('.')[1] ?? '', 'base64url').toString()))
  t.is(new Set(claims.map(({ sid }) => sid)).size, expected)
})

test('whoever leaves an organization while their access ends in other ways waits for nobody for ever', async t => {
  t.timeout(300_000)
  const server = await startServer()
  t.teardown(server.close)
  const { services, resources } = server
  const clientIds = await Promise.all(Array.from({ length: 3 }, async () => (await makeClient(server)).clientId))
  const makeGranting = async (organizationId: OrganizationId, inside: string) => {
    const { id } = await makeUser(server)
    await services.members.add(systemActor, { organizationId, userId: id, role: 'member' })
    await resources.database.pool.query(
      `INSERT INTO oidc_artifacts (key, kind, payload, grant_id, account_id, client_id, organization_id, expires_at)
       SELECT sha256(gen_random_uuid()::text::bytea), 'Grant', '{}', gen_random_uuid()::text, $1, ($2::text[])[1 + i % 3], CASE WHEN i % 2 = 0 THEN $3 END, now() + interval '1 day'
       FROM generate_series(1, 600) i`,
      [id, clientIds, organizationId],
    )
    await resources.database.pool.query(
      `INSERT INTO oidc_artifacts (key, kind, payload, uid, account_id, expires_at)
       SELECT sha256(gen_random_uuid()::text::bytea), 'Session', jsonb_build_object('authorizations', jsonb_build_object($2::text, jsonb_build_object('sid', i::text), $3::text, '{}'::jsonb))::json,
         gen_random_uuid()::text, $1, now() + interval '1 day' FROM generate_series(1, 100) i`,
      [id, inside, clientIds[0]],
    )
    return id
  }
  for (let round = 0; round < 8; round += 1) {
    const { id: organizationId } = await makeOrganizationOf(server, (await makeUser(server)).id, { role: 'owner' })
    const { clientId: inside } = await makeClient(server, { organizationId, isMembersOnly: true })
    const made = [await makeGranting(organizationId, inside), await makeGranting(organizationId, inside), await makeGranting(organizationId, inside)]
    const endings = made.flatMap(id => {
      const actor = { ...systemActor, kind: 'user', id, userId: id } as const
      return [
        ...clientIds.map(clientId => () => services.consents.revoke(actor, { userId: id, clientId })),
        () => services.members.remove(systemActor, { organizationId, userId: id }),
        () => services.userAdministration.suspend(systemActor, id as never),
        () => services.userAdministration.endSessions(systemActor, id as never),
        ...clientIds.map(clientId => () => services.consents.revoke(actor, { userId: id, clientId, organizationId })),
      ]
    })
    const turned = [...endings.slice(round), ...endings.slice(0, round)]
    const ended = await Promise.allSettled(turned.map(end => end()))
    const faults = ended.flatMap(one => (one.status === 'rejected' && !(one.reason instanceof Problem) ? [String(one.reason)] : []))
    t.deepEqual(faults, [])
    t.is(await resources.database.prisma.oidcArtifact.count({ where: { accountId: { in: made }, kind: 'Grant', revokedAt: null } }), 0)
  }
})
