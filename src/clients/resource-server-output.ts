// Resource servers as the API takes and gives them.
import { z } from 'zod'
import { Problem } from '../platform/errors.ts'
import { name, text } from '../platform/http/text.ts'
import { detailsSchema } from './details-schema.ts'
import {
  type AdministeredResourceServer,
  accessTokenAlgorithms,
  type DetailsType,
  type ResourceServerChanges,
  resourceIdentifier,
  scopePattern,
} from './resource-server.ts'

const scopeName = z.string().regex(scopePattern, 'must be printable ASCII without spaces, quotes and backslashes')
const access = z.enum(['any', 'listed'])

const own = {
  name: name(255),
  scopes: z.array(z.strictObject({ name: scopeName, description: name(200).nullable().optional() })).max(200),
  token_format: z.enum(['jwt', 'opaque']),
  signing_algorithm: z.enum(accessTokenAlgorithms),
  access_token_ttl_seconds: z.int().min(60).max(86_400),
  allows_offline_access: z.boolean(),
  requires_permissions: z.boolean(),
  client_access: access,
  user_access: access,
  clients: z
    .array(
      z.strictObject({
        client_id: text(255).min(1),
        scopes: z.array(scopeName).max(200).default([]),
        authorization_details_types: z.array(scopeName).max(20).default([]),
        introspects: z.boolean().default(false).describe('It stands for the resource server itself: it may introspect tokens that are for it.'),
      }),
    )
    .max(100),
  // The schema of a schema knows itself, which the document cannot name: it is parsed by the handler.
  authorization_details_types: z.array(z.strictObject({ type: scopeName, title: name(200), schema: z.record(z.string(), z.json()) })).max(20),
  disabled: z.boolean(),
}

/** What a resource server may be changed to. */
export const resourceServerBody = z.strictObject(own).partial()

/** What a new one is made of. */
export const newResourceServerBody = z.strictObject({
  ...resourceServerBody.shape,
  identifier: resourceIdentifier,
  name: own.name,
  scopes: own.scopes.default([]),
  token_format: own.token_format.default('jwt'),
  signing_algorithm: own.signing_algorithm.default('ES256'),
  access_token_ttl_seconds: own.access_token_ttl_seconds.default(600),
})

/** A resource server as it is told. */
export const resourceServerOutput = z.object({
  id: z.uuid(),
  identifier: z.string(),
  organization_id: z.uuid().nullable(),
  name: z.string(),
  scopes: z.array(z.object({ name: z.string(), description: z.string().nullable() })),
  token_format: own.token_format,
  signing_algorithm: own.signing_algorithm,
  access_token_ttl_seconds: z.int(),
  allows_offline_access: z.boolean(),
  requires_permissions: z.boolean(),
  client_access: access,
  user_access: access,
  clients: z.array(
    z.object({ client_id: z.string(), scopes: z.array(z.string()), authorization_details_types: z.array(z.string()), introspects: z.boolean() }),
  ),
  authorization_details_types: z.array(z.object({ type: z.string(), title: z.string(), schema: z.record(z.string(), z.json()) })),
  disabled: z.boolean(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
})

/** Turns a body into changes. Throws `validation_failed` for a schema of authorization details that is none of ours. */
export const toResourceServerChanges = (body: z.output<typeof resourceServerBody>): ResourceServerChanges => ({
  name: body.name,
  scopes: body.scopes?.map(scope => scope.name),
  scopeDescriptions: body.scopes && Object.fromEntries(body.scopes.flatMap(scope => (scope.description ? [[scope.name, scope.description]] : []))),
  tokenFormat: body.token_format,
  signingAlgorithm: body.signing_algorithm,
  accessTokenTtlSeconds: body.access_token_ttl_seconds,
  allowsOfflineAccess: body.allows_offline_access,
  requiresPermissions: body.requires_permissions,
  clientAccess: body.client_access,
  userAccess: body.user_access,
  clients: body.clients?.map(one => ({
    clientId: one.client_id,
    scopes: one.scopes,
    detailsTypes: one.authorization_details_types,
    introspects: one.introspects,
  })),
  detailsTypes: body.authorization_details_types?.map(toDetailsType),
  isDisabled: body.disabled,
})

/** Turns a resource server into what {@link resourceServerOutput} lets through. */
export const toResourceServerOutput = (server: AdministeredResourceServer): z.input<typeof resourceServerOutput> => ({
  id: server.id,
  identifier: server.identifier,
  organization_id: server.organizationId ?? null,
  name: server.name,
  scopes: server.scopes.map(scope => ({ name: scope, description: server.scopeDescriptions[scope] ?? null })),
  token_format: server.tokenFormat,
  signing_algorithm: server.signingAlgorithm,
  access_token_ttl_seconds: server.accessTokenTtlSeconds,
  allows_offline_access: server.allowsOfflineAccess,
  requires_permissions: server.requiresPermissions,
  client_access: server.clientAccess,
  user_access: server.userAccess,
  clients: server.clients.map(one => ({
    client_id: one.clientId,
    scopes: [...one.scopes],
    authorization_details_types: [...one.detailsTypes],
    introspects: one.introspects ?? false,
  })),
  authorization_details_types: server.detailsTypes.map(({ type, title, schema }) => ({ type, title, schema: z.record(z.string(), z.json()).parse(schema) })),
  disabled: server.isDisabled,
  created_at: server.createdAt.toISOString(),
  updated_at: server.updatedAt.toISOString(),
})

const toDetailsType = ({ type, title, schema }: { type: string; title: string; schema: object }, at: number): DetailsType => {
  const parsed = detailsSchema.safeParse(schema)
  if (parsed.success) return { type, title, schema: parsed.data }
  const fields = parsed.error.issues.map(({ path, message }) => ({ path: ['authorization_details_types', at, 'schema', ...path].join('.'), message }))
  throw new Problem('validation_failed', { fields })
}
