// Where the management API is served.

/** The prefix of its routes. */
export const managementPrefix = '/api/v1'
