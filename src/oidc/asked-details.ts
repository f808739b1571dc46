// The authorization details of a request (RFC 9396 §2), as they stand in its parameter.
import type { AuthorizationDetail } from 'oidc-provider'

/** Reads the parameter; nothing where it is absent or no list of objects, which the engine refuses by itself. */
export const askedDetails = (parameter: unknown): readonly AuthorizationDetail[] => {
  if (typeof parameter !== 'string') return []
  try {
    const parsed: unknown = JSON.parse(parameter)
    return Array.isArray(parsed) ? parsed.filter(isDetail) : []
  } catch (error) {
    if (error instanceof SyntaxError) return []
    throw error
  }
}

/** The types it names, each once. */
export const askedTypes = (parameter: unknown): readonly string[] => [...new Set(askedDetails(parameter).map(({ type }) => type))]

const isDetail = (value: unknown): value is AuthorizationDetail =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
