// npm run client:create -- NAME --redirect-uri URI …     makes an OAuth client and prints its secret, this once.
import { parseArgs } from 'node:util'
import { systemActor } from '../src/platform/actor.ts'
import { withServices } from './with-services.ts'

const usage = `Usage: npm run client:create -- NAME [options]
  --redirect-uri URI      where people come back to; several times for several. None: a service that signs in by itself
  --logout-uri URI        where people may come back to after signing out
  --public                a single-page or native app: no secret, PKCE always
  --first-party           of the operator itself: consent is not asked`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'redirect-uri': { type: 'string', multiple: true, default: [] },
    'logout-uri': { type: 'string', multiple: true, default: [] },
    public: { type: 'boolean', default: false },
    'first-party': { type: 'boolean', default: false },
  },
})
const [name] = positionals
// RFC 6749 §3.1.2: absolute, without a fragment; https, or http on this machine.
const isRegistrable = (uri: string) =>
  URL.canParse(uri) && !uri.includes('#') && (uri.startsWith('https://') || /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])[:/]/.test(uri))
const redirectUris = values['redirect-uri']

if (name === undefined || (values.public && redirectUris.length === 0) || [...redirectUris, ...values['logout-uri']].some(uri => !isRegistrable(uri))) {
  console.error(usage)
  process.exitCode = 2
} else {
  await withServices(async ({ resources, services }) => {
    const clientId = resources.randomBytes(12).toString('base64url')
    const { secret } = await services.clients.create(systemActor, {
      clientId,
      name,
      isFirstParty: values['first-party'],
      authenticationMethod: values.public ? 'none' : 'client_secret_basic',
      grantTypes: redirectUris.length > 0 ? ['authorization_code', 'refresh_token'] : ['client_credentials'],
      redirectUris,
      postLogoutRedirectUris: values['logout-uri'],
    })
    console.log(`client_id      ${clientId}${secret === undefined ? '' : `\nclient_secret  ${secret}`}`)
  })
}
