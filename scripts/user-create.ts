// npm run user:create -- EMAIL [--name NAME] [--admin]     makes a user and prints their first password, made for them.
import { parseArgs } from 'node:util'
import { systemActor } from '../src/platform/actor.ts'
import { withServices } from './with-services.ts'

const { values, positionals } = parseArgs({ allowPositionals: true, options: { name: { type: 'string' }, admin: { type: 'boolean', default: false } } })
const [email] = positionals

if (email === undefined) {
  console.error('Usage: npm run user:create -- EMAIL [--name NAME] [--admin]')
  process.exitCode = 2
} else {
  await withServices(async ({ resources, services }) => {
    const password = resources.randomBytes(15).toString('base64url')
    const { id } = await services.users.create(systemActor, { email, name: values.name, isAdmin: values.admin, isEmailVerified: true })
    await services.signIn.setPassword(systemActor, { id, password })
    console.log(`user      ${id}\nemail     ${email}\npassword  ${password}`)
  })
}
