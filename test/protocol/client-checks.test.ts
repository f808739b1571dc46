// The great table of what a client checks, with oauth4webapi as the client.
import test from 'ava'
import { type Made, make } from '../support/protocol/made.ts'
import { receive } from '../support/protocol/receive.ts'
import { clientChecks } from './rows/client-checks.ts'

let made: Made
test.before(async () => {
  made = await make()
})
test.after.always(() => made?.server.close())

for (const clientId of ['portal', 'elliptic'] as const)
  test.serial(`${clientId}: a client that believes what is so finds nothing wrong`, async t => {
    t.is((await receive(made, { clientId })).sub, made.sub)
  })

for (const { spec, section, says, when, bend, code, client = 'portal' } of clientChecks)
  test.serial(`${spec} ${section}: ${client} refuses when ${when}`, async t => {
    const error = await t.throwsAsync<Error & { code: string }>(receive(made, { bend, clientId: client }))
    t.is(error?.code, code, `«${says}»: ${error?.message}`)
  })
