// npm run keys:rotate [-- --force]     makes the next signing keys current; running servers follow within seconds.
import { systemActor } from '../src/platform/actor.ts'
import { readArguments } from './arguments.ts'
import { withServices } from './with-services.ts'

const usage = `Usage: npm run keys:rotate [-- options]
  --force                 also where clients may not know the next keys yet`
const given = readArguments({ usage, options: { force: { type: 'boolean', default: false } } })

if (given)
  await withServices(async ({ services }) => {
    await services.signingKeys.ensure(systemActor)
    await services.signingKeys.rotate(systemActor, { isForced: given.values.force })
    console.log('The signing keys were rotated. Retired keys stay published for 90 days.')
  })
