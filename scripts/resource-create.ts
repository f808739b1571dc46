// npm run resource:create -- URI --scope SCOPE …     registers an API that clients may ask access tokens for.
import { z } from 'zod'
import { misused, readArguments } from '../src/arguments.ts'
import { systemActor } from '../src/platform/actor.ts'
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

async function register({ values, positionals }: NonNullable<typeof read>) {
  const given = z
    .object({ identifier: z.url(), signingAlgorithm: z.enum(['ES256', 'RS256', 'EdDSA']), accessTokenTtlSeconds: z.coerce.number().int().positive() })
    .safeParse({ identifier: positionals[0], signingAlgorithm: values.algorithm, accessTokenTtlSeconds: values.ttl })
  if (!given.success) return misused(usage, `This is not valid: ${given.error.issues.map(({ path }) => path.join('.')).join(', ')}.`)
  await withServices(async ({ services }) => {
    await services.resourceServers.create(systemActor, {
      ...given.data,
      name: given.data.identifier,
      scopes: values.scope,
      tokenFormat: values.opaque ? 'opaque' : 'jwt',
      clientAccess: values['any-client'] ? 'any' : 'listed',
    })
    console.log(`Clients may now ask for resource=${given.data.identifier}`)
  })
}
