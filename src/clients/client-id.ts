// The identifier of a client, apart from the words of the slice: they are made of words that name other clients by it.

/** RFC 6749 appendix A.1: what the identifier of a client may be. */
export const clientIdPattern = /^[\x20-\x7e]{1,255}$/
