// npm run registration:token     issues an initial access token (RFC 7591 §3) for one day of dynamic client registration.
import { createApp } from '../src/app.ts'
import { isToRun } from '../src/arguments.ts'
import { systemActor } from '../src/platform/actor.ts'
import { withServices } from './with-services.ts'

const usage = `Usage: npm run registration:token
Prints a token with which clients register for one day. Takes no options.`

if (isToRun(usage))
  await withServices(async ({ config, resources, services }) => {
    await services.signingKeys.ensure(systemActor)
    const { protocol } = await createApp({ config, resources, services })
    const { InitialAccessToken } = protocol.engine.current()
    console.log(await new InitialAccessToken().save())
  })
