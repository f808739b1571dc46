// The words of the great table: what a specification says, what is bent to show it, and what must come of it.
import type { Bend } from './ask.ts'
import type { EndpointName } from './endpoints.ts'
import type { ClientName, Made } from './made.ts'

/** A specification of the table. */
export type Specification =
  | 'RFC 6749'
  | 'RFC 6750'
  | 'RFC 7009'
  | 'RFC 7523'
  | 'RFC 7636'
  | 'RFC 7662'
  | 'RFC 8628'
  | 'RFC 8707'
  | 'RFC 9101'
  | 'RFC 9126'
  | 'RFC 9207'
  | 'RFC 9449'
  | 'RFC 9470'
  | 'OpenID Connect Core'
  | 'Form Post'
  | 'JARM'

/** Where an answer is told, and in which response mode. */
export type Place = 'redirect' | 'redirect.jwt' | 'fragment' | 'fragment.jwt' | 'form_post' | 'form_post.jwt' | 'page' | 'json'

/** What comes of a request: a refusal and where it is told, a question on a page, or success. */
export type Outcome =
  | {
      readonly by: Place
      readonly error: string
      readonly status?: number
      /** Of each a part must stand in the header of that name. */
      readonly headers?: Readonly<Record<string, RegExp>>
      /** `state` cannot be given back, as it came twice or within what could not be read. */
      readonly isStateless?: true
    }
  | { readonly by: 'question' }
  | {
      readonly by: 'success'
      /** What the answer says under these names; a pattern is to match, `undefined` is to be absent. */
      readonly says?: Readonly<Record<string, unknown>>
      readonly headers?: Readonly<Record<string, RegExp>>
      readonly place?: Place
    }
  | { readonly by: 'method'; readonly allow: string }

/** One row. */
export interface Row {
  readonly spec: Specification
  readonly section: string
  /** The specification's own sentence, shortened; in our words where it says it over several. */
  readonly says: string
  /** What is bent. */
  readonly when: string
  readonly at: EndpointName
  readonly client: ClientName
  readonly bend: Bend | ((made: Made) => Bend | Promise<Bend>)
  readonly then: Outcome
  /** The bent request uses up what it is about: the same without the fault needs another. */
  readonly isSpent?: true
}

interface Family {
  readonly spec: Specification
  readonly at: EndpointName
  readonly client?: ClientName
}

type Told = readonly [section: string, says: string, when: string, bend: Row['bend'], then: Outcome, own?: Partial<Row>]

/** Rows of one specification at one endpoint. */
export const family = ({ spec, at, client = 'portal' }: Family, told: readonly Told[]): readonly Row[] =>
  told.map(([section, says, when, bend, then, own]) => ({ spec, at, client, section, says, when, bend, then, ...own }))

/** A refusal that the client is told at its redirect URI. */
export const redirected = (error: string, more: { isStateless?: true } = {}): Outcome => ({ by: 'redirect', error, ...more })

/** A refusal that the person is told on a page, as nobody knows where else. */
export const onPage = (error: string): Outcome => ({ by: 'page', error, status: 400 })

/** A refusal that the client is told as JSON. */
export const refused = (error: string, status = 400, headers: Readonly<Record<string, RegExp>> = {}): Outcome => ({ by: 'json', error, status, headers })

/** It goes well, and says so. */
export const goesWell = (says: Readonly<Record<string, unknown>> = {}, headers: Readonly<Record<string, RegExp>> = {}): Outcome => ({
  by: 'success',
  says,
  headers,
})

/** The server asks the person first. */
export const asks: Outcome = { by: 'question' }
