/** Why a database was not filled. */
export type RefillErrorCode = 'schema_newer' | 'migration_edited' | 'not_empty' | 'not_ours' | 'in_use' | 'being_migrated' | 'differs'

/** Ends the filling, with nothing changed; `message` is for people. */
export class RefillError extends Error {
  override readonly name = 'RefillError'
  readonly code: RefillErrorCode

  constructor(code: RefillErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
