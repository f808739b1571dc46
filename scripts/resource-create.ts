// npm run resource:create -- URI --scope SCOPE …     registers an API that clients may ask access tokens for.
import { misused, readArguments } from '../src/arguments.ts'
import { identifierFault } from '../src/clients/resource-server.ts'
import { newResourceServerBody } from '../src/clients/resource-server-output.ts'
import { systemActor } from '../src/platform/actor.ts'
import { parsed } from './parsed.ts'
import { withServices } from './with-services.ts'

const usage = `Usage: npm run resource:create -- URI [options]
  --scope SCOPE           a scope of the API; several times for several
  --opaque                opaque access tokens instead of JWT
  --algorithm NAME        ES256 (default), RS256 or EdDSA
  --ttl SECONDS           how long access tokens live (default 600)
  --any-client            clients get tokens for themselves without being listed`

const read = readArguments({
  usage,
  positionals: 1,
  options: {
    scope: { type: 'string', multiple: true, default: [] },
    opaque: { type: 'boolean', default: false },
    algorithm: { type: 'string', default: 'ES256' },
    ttl: { type: 'string', default: '600' },
    'any-client': { type: 'boolean', default: false },
  },
})
if (read) await register(read)

async function register({ values, positionals: [identifier = ''] }: NonNullable<typeof read>) {
  const fault = identifierFault(identifier, [])
  if (fault !== undefined) return misused(usage, `The URI ${fault}.`)
  const given = parsed(newResourceServerBody, {
    identifier,
    name: identifier.slice(0, 255),
    scopes: values.scope.map(name => ({ name })),
    token_format: values.opaque ? 'opaque' : 'jwt',
    signing_algorithm: values.algorithm,
    access_token_ttl_seconds: Number(values.ttl),
    client_access: values['any-client'] ? 'any' : 'listed',
  })
  if ('fault' in given) return misused(usage, given.fault)
  const { data } = given
  await withServices(async ({ services }) => {
    await services.resourceServers.create(systemActor, {
      identifier,
      name: data.name,
      scopes: values.scope,
      tokenFormat: data.token_format,
      signingAlgorithm: data.signing_algorithm,
      accessTokenTtlSeconds: data.access_token_ttl_seconds,
      clientAccess: data.client_access,
    })
    console.log(`Clients may now ask for resource=${identifier}`)
  })
}
