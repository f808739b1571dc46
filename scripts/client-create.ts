// npm run client:create -- NAME --redirect-uri URI …     makes an OAuth client and prints its secret, this once.
import { machinePermissions } from '../src/api/permissions.ts'
import { misused, readArguments } from '../src/arguments.ts'
import { newClientBody } from '../src/clients/client-output.ts'
import { registeredUriFault } from '../src/clients/redirect-rules.ts'
import { systemActor } from '../src/platform/actor.ts'
import { parsed } from './parsed.ts'
import { withServices } from './with-services.ts'

const usage = `Usage: npm run client:create -- NAME [options]
  --redirect-uri URI      where people come back to; several times for several. None: a service that signs in by itself
  --logout-uri URI        where people may come back to after signing out
  --public                a single-page app: no secret, PKCE always
  --native                an app on people's devices: public too, and its redirect URIs may have a private-use scheme (com.example.app:/callback)
  --first-party           of the operator itself: consent is not asked
  --permission NAME       what it may do on the management API by itself, such as users:read; several times for several.
                          Only for a service with --first-party`

type Arguments = NonNullable<ReturnType<typeof read>>
const read = () =>
  readArguments({
    usage,
    positionals: 1,
    options: {
      'redirect-uri': { type: 'string', multiple: true, default: [] },
      'logout-uri': { type: 'string', multiple: true, default: [] },
      permission: { type: 'string', multiple: true, default: [] },
      public: { type: 'boolean', default: false },
      native: { type: 'boolean', default: false },
      'first-party': { type: 'boolean', default: false },
    },
  })

const faultOf = ({ values, positionals: [name] }: Arguments): string | undefined => {
  const redirectUris = values['redirect-uri']
  if (name === undefined) return 'A client needs a name.'
  if ((values.public || values.native) && redirectUris.length === 0) return 'A public client needs a redirect URI.'
  for (const address of [...redirectUris, ...values['logout-uri']]) {
    const fault = registeredUriFault(address, values.native ? 'native' : 'web')
    if (fault !== undefined) return `${address} ${fault}.`
  }
  const unknown = values.permission.find(name => !machinePermissions.some(one => one === name))
  if (unknown !== undefined) return `${unknown} is no permission of a machine. There are: ${machinePermissions.join(', ')}.`
  const isService = values['first-party'] && redirectUris.length === 0
  return values.permission.length > 0 && !isService ? 'Permissions are for a service (no redirect URI) with --first-party.' : undefined
}

const create = ({ values }: Arguments, name: string) =>
  withServices(async ({ resources, services }) => {
    const clientId = resources.randomBytes(12).toString('base64url')
    const redirectUris = values['redirect-uri']
    const { secret } = await services.clients.create(systemActor, {
      clientId,
      name,
      isFirstParty: values['first-party'],
      authenticationMethod: values.public || values.native ? 'none' : 'client_secret_basic',
      grantTypes: redirectUris.length > 0 ? ['authorization_code', 'refresh_token'] : ['client_credentials'],
      redirectUris,
      postLogoutRedirectUris: values['logout-uri'],
      apiPermissions: values.permission,
      ...(values.native ? { metadata: { application_type: 'native' } } : {}),
    })
    console.log(`client_id      ${clientId}${secret === undefined ? '' : `\nclient_secret  ${secret}`}`)
  })

const given = read()
if (given) {
  const fault = faultOf(given)
  const named = fault === undefined ? parsed(newClientBody.pick({ name: true }), { name: given.positionals[0] ?? '' }) : { fault }
  if ('fault' in named) misused(usage, named.fault)
  else await create(given, named.data.name)
}
