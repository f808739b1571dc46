// npm run registration:token     issues an initial access token (RFC 7591 §3) for one day of dynamic client registration.
import { createApp } from '../src/app.ts'
import { systemActor } from '../src/platform/actor.ts'
import { withServices } from './with-services.ts'

await withServices(async ({ config, resources, services }) => {
  await services.signingKeys.ensure(systemActor)
  const { protocol } = await createApp({ config, resources, services })
  const { InitialAccessToken } = protocol.engine.current()
  console.log(await new InitialAccessToken().save())
})
