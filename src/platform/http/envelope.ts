// The shape of every answer under /api.
import type { Problem } from '../errors.ts'

const version = '1.0'
const unavailable = 503

/** A kept request: the thing, the list or null. Of health that is not whole the states are the thing, and the answer is no success. */
export const success = ({
  status,
  message,
  requestId,
  data,
  meta = null,
}: {
  status: number
  message: string
  requestId: string
  data: unknown
  meta?: unknown
}) => ({
  version,
  success: status !== unavailable,
  code: status,
  message,
  request_id: requestId,
  data,
  error: status === unavailable ? { type: 'SERVICE_UNAVAILABLE', details: {} } : null,
  meta,
})

/** A refused one. */
export const failure = (problem: Problem, requestId: string) => ({
  version,
  success: false,
  code: problem.status,
  message: problem.message,
  request_id: requestId,
  data: null,
  error: { type: problem.type, details: problem.fields ? { fields: problem.fields.map(({ path, message }) => ({ path, message })) } : {} },
  meta: null,
})
