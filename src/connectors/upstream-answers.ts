// Tells what is an upstream provider's silence, what its refusal and what a wrong answer of it.
import * as client from 'openid-client'
import { Problem } from '../platform/errors.ts'

// Tokens with many groups: none is larger.
const maxAnswerBytes = 256 * 1024

/** Makes a `fetch` that throws `upstream_unavailable` where nothing is answered, or that the provider is not well. Answers are read whole. */
export const createUpstreamFetch =
  (fetch: typeof globalThis.fetch, { maxBytes = maxAnswerBytes }: { readonly maxBytes?: number } = {}): typeof globalThis.fetch =>
  async (input, init) => {
    const { status, headers, bytes } = await read(fetch, input, init).catch(error => {
      throw new Problem('upstream_unavailable', { cause: reasonOf(error) })
    })
    if (status >= 500 || status === 429) throw new Problem('upstream_unavailable', { cause: new Error(`answered with status ${status}`) })
    if (bytes.byteLength > maxBytes) throw new Error('the answer is too large')
    return new Response(bytes.byteLength === 0 ? null : bytes, { status, headers })
  }

const read = async (fetch: typeof globalThis.fetch, ...request: Parameters<typeof globalThis.fetch>) => {
  const response = await fetch(...request)
  return { status: response.status, headers: response.headers, bytes: await response.arrayBuffer() }
}

/** What is told of an error that came of an upstream answer. The cause has none of its tokens, nor of what it says of people. */
export const upstreamProblem = (error: unknown): Problem => {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof Problem) return at
  const cause = reasonOf(error)
  if (!(error instanceof client.AuthorizationResponseError)) return new Problem('upstream_answer_invalid', { cause })
  return new Problem(isPassing.has(error.error) ? 'upstream_unavailable' : 'upstream_refused', { cause })
}

// RFC 6749 §4.1.2.1: the provider itself says that it is of the moment.
const isPassing = new Set(['server_error', 'temporarily_unavailable'])

// The libraries hang whole answers on their errors, and a parser's message quotes what it read: messages of known origin alone are kept.
const reasonOf = (error: unknown): Error => {
  const reasons: string[] = []
  for (let at = error; at instanceof Error && reasons.length < 5; at = at.cause) {
    const code = 'code' in at && typeof at.code === 'string' ? ` ${at.code}` : ''
    const told = 'error' in at && typeof at.error === 'string' && /^[\w.-]{1,64}$/.test(at.error) ? ` (${at.error})` : ''
    reasons.push(`${at.name}${code}${told}${at instanceof SyntaxError ? '' : `: ${at.message.slice(0, 300)}`}`)
  }
  return new Error(reasons.join(' ← ') || 'unknown')
}
