// npm run keys:rotate [-- --force] [-- --revoke KID]     makes the next signing keys current, or ends one key at once; running servers follow within seconds.
import { readArguments } from '../src/arguments.ts'
import { systemActor } from '../src/platform/actor.ts'
import { Problem } from '../src/platform/errors.ts'
import { keyRefusal } from './key-refusals.ts'
import { withServices } from './with-services.ts'

const usage = `Usage: npm run keys:rotate -- [options]
  --force                 also where clients may not know the next keys yet
  --revoke KID            ends this one key at once instead: nothing that it signed is believed any more, and the next takes over`
const given = readArguments({ usage, options: { force: { type: 'boolean', default: false }, revoke: { type: 'string' } } })

if (given)
  await withServices(async ({ services: { signingKeys } }) => {
    const { force, revoke: kid } = given.values
    await signingKeys.ensure(systemActor)
    try {
      if (kid === undefined) {
        await signingKeys.rotate(systemActor, { isForced: force })
        console.log('The signing keys were rotated. Retired keys stay published for a day, which is as long as a token lives.')
      } else {
        await signingKeys.revoke(systemActor, { kid })
        console.log(`The key ${kid} was revoked. Clients that keep our key set know it after ${signingKeys.jwksMaxAgeSeconds} seconds at the latest.`)
      }
    } catch (error) {
      const sentence = error instanceof Problem ? keyRefusal(error, { kid, jwksMaxAgeSeconds: signingKeys.jwksMaxAgeSeconds }) : undefined
      if (sentence === undefined) throw error
      console.error(sentence)
      process.exitCode = 1
    }
  })
