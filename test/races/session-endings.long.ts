// Sessions that end in every way at once: nobody waits for another for ever, and each client is told once of each session.
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { Problem } from '../../src/platform/errors.ts'
import { makeClient } from '../support/clients.ts'
import { startLogoutReceiver } from '../support/logout-receiver.ts'
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
