// npm run keys:rotate [-- --force]     makes the next signing keys current; running servers follow within seconds.
import { systemActor } from '../src/platform/actor.ts'
import { withServices } from './with-services.ts'

const isForced = process.argv.includes('--force')

await withServices(async ({ services }) => {
  await services.signingKeys.ensure(systemActor)
  await services.signingKeys.rotate(systemActor, { isForced })
  console.log('The signing keys were rotated. Retired keys stay published for 90 days.')
})
