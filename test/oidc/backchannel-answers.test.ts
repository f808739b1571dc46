// What an approval demands of the session that it is given in, whoever asks for it.
import test from 'ava'
import { createBackchannelAnswers } from '../../src/oidc/backchannel-answers.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { ask, makeTill } from '../support/ciba.ts'
import { startServer } from '../support/server.ts'
import { makeUser } from '../support/users.ts'

test('a sign-in that the client says is too old approves nothing', async t => {
  const server = await startServer()
  t.teardown(server.close)
  const who = await makeUser(server)
  await ask(await makeTill(server), { login_hint: who.email, max_age: '60' })
  const { backchannelRequests } = server.services
  const [waiting] = await backchannelRequests.list(who.id)
  // It is refused before anything else is looked at.
  const { approve } = createBackchannelAnswers({ backchannelRequests, now: () => new Date() } as never)
  const session = { sid: 'old', amr: ['pwd'], authenticatedAt: new Date(Date.now() - 61_000) }
  await t.throwsAsync(approve(systemActor, { id: waiting?.id ?? '', accountId: who.id, session }), { code: 'reauthentication_required' })
  t.is(await backchannelRequests.countWaiting(who.id), 1)
})
