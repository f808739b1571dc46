// Verifying the audit log, and its checkpoints, of the whole system or of one organization.
import { z } from 'zod'
import { type Lists, listQuery } from '../platform/http/list.ts'
import { type Route, route } from '../platform/http/route.ts'
import { text, uuid } from '../platform/http/text.ts'
import type { Checkpoint, CheckpointList } from './checkpoint-list.ts'
import { faultKinds } from './fault.ts'
import type { Verification, Verified } from './verification.ts'

interface Needs {
  readonly verification: Verification
  readonly checkpointList: CheckpointList
  readonly lists: Lists
}

const params = z.strictObject({ id: uuid })
const checkpoint = text(4000).optional()
const sorts = ['-created_at', 'created_at'] as const
const systemQuery = listQuery({ sorts, filters: { organization: uuid.optional() } })

const verifiedOutput = z.object({
  intact: z.boolean(),
  events: z.int(),
  chains: z.int(),
  faults: z.array(
    z.object({ organization_id: z.uuid().nullable(), kind: z.enum(faultKinds), from: z.int().nullable(), to: z.int().nullable(), message: z.string() }),
  ),
})

const checkpointOutput = z.object({
  id: z.uuid(),
  organization_id: z.uuid().nullable(),
  number: z.int(),
  seq: z.int(),
  hash: z.string(),
  created_at: z.iso.datetime(),
  jws: z.string(),
})

/** Makes the routes. */
export const createAuditVerificationRoutes = ({ verification, checkpointList, lists }: Needs): readonly Route[] => {
  const list = async (name: string, query: z.output<typeof systemQuery>) => {
    const opened = lists.open(name, query)
    const page = { limit: opened.limit, after: opened.after?.[0], isAscending: query.sort === 'created_at' }
    const found = await checkpointList.list({ organizationId: query.organization }, page)
    const { data, meta } = opened.page({ ...found, cursorOf: ({ id }) => [id] })
    return { data: data.map(toCheckpoint), meta }
  }
  return [
    route({
      method: 'POST',
      path: '/audit-logs/verify',
      summary: 'Whether the audit log is as it was written, or what is wrong with it; also held against a checkpoint kept elsewhere.',
      isLong: true,
      permission: 'audit:read',
      body: z.strictObject({ organization_id: uuid.optional(), checkpoint }),
      output: verifiedOutput,
      handle: async ({ body }) => ({ data: toVerified(await verification.verify({ organizationId: body.organization_id, checkpoint: body.checkpoint })) }),
    }),
    route({
      method: 'POST',
      path: '/organizations/:id/audit-logs/verify',
      summary: 'Whether the audit log of one organization is as it was written, or what is wrong with it.',
      isLong: true,
      permission: 'audit:read',
      within: 'organization',
      params,
      body: z.strictObject({ checkpoint }),
      output: verifiedOutput,
      handle: async ({ params, body }) => ({
        data: toVerified(await verification.verify({ organizationId: params.id, within: params.id, checkpoint: body.checkpoint })),
      }),
    }),
    route({
      method: 'GET',
      path: '/audit-logs/checkpoints',
      summary: 'The signed checkpoints of the audit log, the newest first.',
      permission: 'audit:read',
      query: systemQuery,
      output: z.array(checkpointOutput),
      handle: ({ query }) => list('audit-checkpoints', query),
    }),
    route({
      method: 'GET',
      path: '/organizations/:id/audit-logs/checkpoints',
      summary: "The signed checkpoints of one organization's audit log, the newest first.",
      permission: 'audit:read',
      within: 'organization',
      params,
      query: listQuery({ sorts, filters: {} }),
      output: z.array(checkpointOutput),
      handle: ({ params, query }) => list('organizations/audit-checkpoints', { ...query, organization: params.id }),
    }),
  ]
}

const toVerified = ({ isIntact, events, chains, faults }: Verified): z.input<typeof verifiedOutput> => ({
  intact: isIntact,
  events,
  chains,
  faults: faults.map(({ organizationId, kind, from, to, message }) => ({
    organization_id: organizationId ?? null,
    kind,
    from: from ?? null,
    to: to ?? null,
    message,
  })),
})

const toCheckpoint = ({ id, organizationId, number, seq, hash, createdAt, jws }: Checkpoint): z.input<typeof checkpointOutput> => ({
  id,
  organization_id: organizationId ?? null,
  number,
  seq,
  hash: hash.toString('hex'),
  created_at: createdAt.toISOString(),
  jws,
})
