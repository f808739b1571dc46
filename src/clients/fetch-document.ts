// Reads a client metadata document from where its client says it is.
import type { ClientMetadata } from './client.ts'
import { DocumentRefused, metadataOf } from './document-rules.ts'

/** The largest document that is read (draft-ietf-oauth-client-id-metadata-document-02 §6.6). */
export const maxDocumentBytes = 5120

const minFreshSeconds = 300
const maxFreshSeconds = 86_400

/** What was read. */
export interface FetchedDocument {
  readonly metadata: ClientMetadata & { readonly client_id: string }
  /** How long it need not be read again. */
  readonly freshSeconds: number
}

/** Thrown where nothing can be said of the document: its server does not answer, or not well. Why is told to nobody. */
export class DocumentUnreachable extends Error {
  override readonly name = 'DocumentUnreachable'
}

/** Reads it. Throws {@link DocumentUnreachable}, and {@link DocumentRefused} for one that is gone or breaks the rules. */
export const fetchDocument = async (address: URL, { fetch, issuer }: { fetch: typeof globalThis.fetch; issuer: string }): Promise<FetchedDocument> => {
  const { answer, text } = await read(address, fetch)
  if (answer.status === 404 || answer.status === 410) throw new DocumentRefused('there is no document at this address')
  if (answer.status !== 200) throw new DocumentUnreachable()
  if (!/^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(answer.headers.get('content-type') ?? '')) throw new DocumentRefused('the document is not JSON')
  return { metadata: metadataOf(parsed(text), { address, issuer }), freshSeconds: freshSecondsOf(answer.headers) }
}

const read = async (address: URL, fetch: typeof globalThis.fetch) => {
  try {
    const answer = await fetch(address, { headers: { accept: 'application/json' }, redirect: 'manual' })
    return { answer, text: await answer.text() }
  } catch (cause) {
    throw new DocumentUnreachable('the document could not be read', { cause })
  }
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new DocumentRefused('the document is not JSON', { cause })
  }
}

// RFC 9111 §5.2.2: what asks not to be kept is kept for the shortest time.
const freshSecondsOf = (headers: Headers): number => {
  const directives = headers.get('cache-control') ?? ''
  const asked = /\bno-(?:store|cache)\b/i.test(directives) ? 0 : Number(/\bmax-age\s*=\s*"?(\d{1,9})/i.exec(directives)?.[1] ?? 0)
  return Math.max(minFreshSeconds, Math.min(maxFreshSeconds, asked))
}
