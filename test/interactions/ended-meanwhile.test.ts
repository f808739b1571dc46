// Access that ends while somebody proves themselves ends that sign-in too.
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { makeClient } from '../support/clients.ts'
import { open } from '../support/factor-journeys.ts'
import { codeOf, mailTo } from '../support/mails.ts'
import { createPerson } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'
import { startServer } from '../support/server.ts'
import { toCode } from '../support/sign-in-pages.ts'
import { makeUser } from '../support/users.ts'

test('a sign-in by code does not outlive access that ended once it was redeemed', async t => {
  const server = await startServer()
  t.teardown(server.close)
  const { services } = server
  const portal = await makeClient(server)
  const who = await makeUser(server)
  const person = createPerson()
  const { page } = await toCode(server, who.email, person)
  const prove = services.emailCode.prove
  Object.assign(services.emailCode, {
    prove: async (...given: Parameters<typeof prove>) => {
      const proven = await prove(...given)
      await sleep(20)
      await services.change(systemActor, async (tx, record) => {
        await services.endAccess(tx, who.id)
        record('user.sessions_ended', { id: who.id, email: who.email })
      })
      await sleep(20)
      return proven
    },
  })
  await person.follow(await person.submit(page, { code: codeOf(await mailTo(server, who.email, 'sign-in code')) }), redirectUri)
  const silent = await open(person, portal, { prompt: 'none' })
  t.is(silent.page.location?.searchParams.get('error'), 'login_required')
})
