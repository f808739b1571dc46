// What may be used once is used once, however many try together, on the database at hand.
import test from 'ava'
import { createCalls } from '../support/calls.ts'
import { contests } from '../support/contests.ts'
import { contestsOfPeople } from '../support/contests-of-people.ts'
import { prepareTrack, type Track } from '../support/race.ts'
import { startServer, type TestServer } from '../support/server.ts'

const rounds = 3
const tries = 20

let server: TestServer
let track: Track
test.before(async () => {
  server = await startServer({ settings: { TRUST_PROXY: '1' } })
  track = await prepareTrack({ services: server.services, calls: createCalls(server.issuer), issuer: server.issuer })
})
test.after.always(async () => {
  await track?.calls.close()
  await server?.close()
})

for (const [title, contest] of Object.entries(contests))
  test.serial(`of many at once, ${title}`, async t => {
    for (let round = 0; round < rounds; round += 1) await contest(t, track, tries)
  })

for (const [title, contest] of Object.entries(contestsOfPeople))
  test.serial(`of many people at once, ${title}`, t => contest(t, { ...server, calls: track.calls }, tries))
