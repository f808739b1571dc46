// Authentication context classes: how sure we are of who somebody is, asked for by clients and told to them.

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
}

/** Reads a request. An essential claim outweighs `acr_values`, which the engine would let replace it. */
export const askedAcr = (params: { readonly acr_values?: unknown; readonly claims?: unknown } | undefined): AskedAcr => {
  const claim = acrClaim(params?.claims)
  const named = [...strings(claim?.values), ...strings([claim?.value])]
  if (claim?.essential === true && named.length > 0) return { values: named, isEssential: true }
  const values = typeof params?.acr_values === 'string' ? params.acr_values.split(' ').filter(Boolean) : named
  return { values, isEssential: false }
}

/** Whether what was proven is enough for a class. */
export const isSatisfied = (value: string, amr: readonly string[]): boolean => value === oneFactor || (value === twoFactors && amr.includes('mfa'))

/** Whether a second factor would meet what is asked better than what was proven does: the first value that can be met decides. */
export const wantsSecondFactor = ({ values }: AskedAcr, amr: readonly string[]): boolean => {
  const best = values.find(value => acrValues.includes(value))
  return best !== undefined && !isSatisfied(best, amr) && best === twoFactors
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

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

const strings = (value: unknown): string[] => (Array.isArray(value) ? value.filter(item => typeof item === 'string') : [])
