// Which version of Authy2 this is.
import about from '../package.json' with { type: 'json' }

/** Semantic Versioning. */
export const { version } = about
