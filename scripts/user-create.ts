// npm run user:create -- EMAIL [--name NAME] [--admin]     makes a user and prints their first password, made for them.
import { misused, readArguments } from '../src/arguments.ts'
import { systemActor } from '../src/platform/actor.ts'
import { normalizeEmail } from '../src/users/email.ts'
import { newUserBody } from '../src/users/routes.ts'
import { parsed } from './parsed.ts'
import { withServices } from './with-services.ts'

const usage = `Usage: npm run user:create -- EMAIL [options]
  --name NAME             what the person is called
  --admin                 an administrator of the system`

const given = readArguments({ usage, positionals: 1, options: { name: { type: 'string' }, admin: { type: 'boolean', default: false } } })
const [email] = given?.positionals ?? []

const create = (user: { email: string; name: string | undefined; isAdmin: boolean }) =>
  withServices(async ({ resources, services }) => {
    const password = resources.randomBytes(15).toString('base64url')
    const { id } = await services.users.create(systemActor, { ...user, isEmailVerified: true })
    await services.signIn.setPassword(systemActor, { id, password })
    console.log(`user      ${id}\nemail     ${user.email}\npassword  ${password}`)
  })

if (given && email === undefined) misused(usage, 'A user needs an email address.')
else if (given && email !== undefined && normalizeEmail(email) === undefined) misused(usage, `This is no email address: ${JSON.stringify(email)}.`)
else if (given && email !== undefined) {
  const { name, admin: isAdmin } = given.values
  const person = parsed(newUserBody.pick({ full_name: true }), { full_name: name })
  if ('fault' in person) misused(usage, person.fault)
  else await create({ email, name: person.data.full_name, isAdmin })
}
