// What an answer says, and where, in whichever response mode.
import { jwtVerify } from 'jose'
import { fillForm } from '../../../scripts/bench/forms.ts'
import type { Answer } from '../person.ts'
import { redirectUri } from '../relying-party.ts'
import type { Made } from './made.ts'
import type { Place } from './row.ts'

/** An answer's words. */
export interface Told {
  readonly place: Place | 'question'
  readonly params: Readonly<Record<string, unknown>>
}

/** Reads it. An answer that is a JWT must be signed by the server (JARM §2.1). */
export const read = async (answer: Answer, made: Pick<Made, 'jwks' | 'issuer'>): Promise<Told> => {
  const told = plain(answer)
  if (typeof told.params.response !== 'string') return told
  const { payload, protectedHeader } = await jwtVerify(told.params.response, made.jwks, { issuer: made.issuer, requiredClaims: ['aud', 'exp'] })
  return { place: `${told.place}.jwt` as Place, params: { ...payload, alg: protectedHeader.alg } }
}

const plain = ({ location, headers, body }: Answer): Told => {
  const { kept: _, ...query } = Object.fromEntries(location?.searchParams ?? [])
  if (location?.href.startsWith(redirectUri))
    return location.hash ? { place: 'fragment', params: Object.fromEntries(new URLSearchParams(location.hash.slice(1))) } : { place: 'redirect', params: query }
  if (location) return { place: 'question', params: {} }
  const type = headers.get('content-type') ?? ''
  if (type.startsWith('application/json')) return { place: 'json', params: JSON.parse(body) }
  const form = type.startsWith('text/html') ? fillForm(body.replaceAll('type="hidden"', ''), { error: '', code: '', response: '' }) : undefined
  if (form?.action !== redirectUri) return { place: 'page', params: {} }
  const fields = [...body.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [name, unescaped(value)])
  return { place: 'form_post', params: Object.fromEntries(fields) }
}

const entities: Readonly<Record<string, string>> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'" }
const unescaped = (text: string) => text.replace(/&(?:amp|lt|gt|quot|#39);/g, entity => entities[entity] ?? entity)
