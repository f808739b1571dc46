// npm run user:create -- EMAIL [--name NAME] [--admin]     makes a user and prints their first password, made for them.
import { misused, readArguments } from '../src/arguments.ts'
import { systemActor } from '../src/platform/actor.ts'
import { withServices } from './with-services.ts'

const usage = `Usage: npm run user:create -- EMAIL [options]
  --name NAME             what the person is called
  --admin                 an administrator of the system`

const given = readArguments({ usage, positionals: 1, options: { name: { type: 'string' }, admin: { type: 'boolean', default: false } } })
const email = given?.positionals[0]

if (given && email === undefined) misused(usage, 'A user needs an email address.')
else if (given && email !== undefined) {
  const { name, admin: isAdmin } = given.values
  await withServices(async ({ resources, services }) => {
    const password = resources.randomBytes(15).toString('base64url')
    const { id } = await services.users.create(systemActor, { email, name, isAdmin, isEmailVerified: true })
    await services.signIn.setPassword(systemActor, { id, password })
    console.log(`user      ${id}\nemail     ${email}\npassword  ${password}`)
  })
}
