// Authentication context classes: how sure we are of who somebody is, asked for by clients and told to them.
import { isObject, strings } from '../platform/values.ts'

/** One factor was proven. */
export const oneFactor = 'urn:authy2:acr:1'

/** A second factor was proven on top of the first. */
export const twoFactors = 'urn:authy2:acr:2'

/** What clients may ask for (`acr_values_supported`). */
export const acrValues: readonly string[] = [oneFactor, twoFactors]

/** What a request asks for, the most wanted first (OpenID Connect Core §3.1.2.1, §5.5.1.1). */
export interface AskedAcr {
  readonly values: readonly string[]
  /** Without one of them the client wants no answer but an error. */
  readonly isEssential: boolean
  /** A claim that is asked for voluntarily: whatever it names, what can be given is enough (§5.5.1). */
  readonly isVoluntary: boolean
}

/**
 * What a request wants of a second factor. `demand`: two factors and nothing less, be it of whoever enrols one for it. `wish`: of
 * whoever has one, for the client takes less from all others.
 */
export type FactorWish = 'none' | 'wish' | 'demand'

/** Reads a request. An essential claim outweighs `acr_values`, which the engine would let replace it. */
export const askedAcr = (params: { readonly acr_values?: unknown; readonly claims?: unknown } | undefined): AskedAcr => {
  const claim = acrClaim(params?.claims)
  const named = [...strings(claim?.values), ...strings([claim?.value])]
  if (claim?.essential === true && named.length > 0) return { values: named, isEssential: true, isVoluntary: false }
  if (typeof params?.acr_values !== 'string') return { values: named, isEssential: false, isVoluntary: true }
  return { values: params.acr_values.split(' ').filter(Boolean), isEssential: false, isVoluntary: false }
}

/** What is wrong with the form in which a request asks for a class (§5.5.1): read as nothing, it would be answered with less than it demands. */
export const faultOfAcr = (claims: unknown): string | undefined => {
  const { essential, value, values } = acrClaim(claims) ?? {}
  if (essential !== undefined && typeof essential !== 'boolean') return 'essential of acr must be a boolean'
  if (value !== undefined && typeof value !== 'string') return 'value of acr must be a string'
  const isList = Array.isArray(values) && strings(values).length === values.length
  return values === undefined || isList ? undefined : 'values of acr must be an array of strings'
}

// Whether what was proven is enough for a class.
const isSatisfied = (value: string, amr: readonly string[]): boolean => value === oneFactor || (value === twoFactors && amr.includes('mfa'))

/** Two factors are demanded by whoever lists them without the one that less would meet; listed beside it, in whatever place, they are a wish. */
export const factorWish = ({ values, isVoluntary }: AskedAcr): FactorWish => {
  if (!values.includes(twoFactors)) return 'none'
  return isVoluntary || values.includes(oneFactor) ? 'wish' : 'demand'
}

/** Whether a request asks for what nobody can give: an essential class that we do not know. */
export const isUnattainable = ({ values, isEssential }: AskedAcr): boolean => isEssential && !values.some(value => acrValues.includes(value))

/** What is told: the first asked value that holds, else the highest that does. */
export const acrOf = (amr: readonly string[], asked: AskedAcr): string =>
  asked.values.find(value => isSatisfied(value, amr)) ?? (isSatisfied(twoFactors, amr) ? twoFactors : oneFactor)

const acrClaim = (claims: unknown): Record<string, unknown> | undefined => {
  const parsed = typeof claims === 'string' ? parse(claims) : claims
  const asked = isObject(parsed) && isObject(parsed.id_token) ? parsed.id_token.acr : undefined
  return isObject(asked) ? asked : undefined
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined // the engine refuses it
    throw error
  }
}
