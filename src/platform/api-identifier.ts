// Where the management API is served, and what it is called as a resource (RFC 8707): the API and the protocol both have to know.

/** The prefix of its routes. */
export const managementPrefix = '/api/v1'

/** Its identifier. */
export const apiIdentifierOf = (issuer: string): string => `${issuer}${managementPrefix}`
