// The columns whose values are sealed under SECRET_KEY: what `npm run secrets:reseal` seals anew when that is replaced. A new one belongs here.
//
// Not here: the two kinds of artifacts whose payload has a sealed part (interactions, device codes), which are gone within an hour; and what
// browsers and clients hold.
import { sealContext as connectionContext } from './connectors/configured.ts'
import { answerContext, begunContext } from './connectors/upstream-requests.ts'
import { sealContext as backchannelContext } from './oidc/backchannel-requests.ts'
import type { SealedColumn } from './platform/data/reseal.ts'
import { sealContext as webhookContext } from './webhooks/signature.ts'

const asItIs = String
const inBase64url = (bound: string | Buffer): string => Buffer.from(bound).toString('base64url')
const id = ['id', 'uuid'] as const

/** All of them. */
export const sealedColumns: readonly SealedColumn[] = [
  { table: 'lasting_keys', column: 'sealed', purpose: 'lasting-key', key: ['purpose', 'text'], bound: 't.purpose', contextOf: asItIs },
  { table: 'signing_keys', column: 'sealed_jwk', purpose: 'signing-key', key: id, bound: 't.kid', contextOf: asItIs },
  {
    table: 'client_secrets',
    column: 'sealed',
    purpose: 'client-secret-sealed',
    key: id,
    bound: '(SELECT c.client_id FROM clients c WHERE c.id = t.client_id)',
    contextOf: asItIs,
  },
  // Of passkeys the column is the public key.
  { table: 'authenticators', column: 'secret', purpose: 'totp', key: id, bound: 't.user_id', contextOf: asItIs, where: "t.kind = 'totp'" },
  { table: 'connections', column: 'secrets', purpose: 'connection', key: id, bound: 't.id', contextOf: bound => connectionContext(String(bound)) },
  { table: 'jobs', column: 'payload', purpose: 'job', key: id, bound: "t.kind || ':' || t.id", contextOf: asItIs },
  { table: 'idempotency_keys', column: 'answer', purpose: 'idempotency', key: ['key', 'bytea'], bound: 't.key', contextOf: inBase64url },
  {
    table: 'upstream_requests',
    column: 'sealed',
    purpose: 'upstream-request',
    key: ['hash', 'bytea'],
    bound: 't.hash',
    contextOf: bound => begunContext(Buffer.from(bound)),
  },
  {
    table: 'upstream_requests',
    column: 'answer',
    purpose: 'upstream-request',
    key: ['hash', 'bytea'],
    bound: 't.hash',
    contextOf: bound => answerContext(Buffer.from(bound)),
  },
  { table: 'backchannel_requests', column: 'sealed', purpose: 'artifact', key: id, bound: 't.id', contextOf: bound => backchannelContext(String(bound)) },
  { table: 'webhooks', column: 'secrets', purpose: 'webhook', key: id, bound: 't.id', contextOf: bound => webhookContext(String(bound)) },
]
