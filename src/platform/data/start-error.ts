// An error of starting, told to the operator in one plain sentence.

/** What can go wrong before the server serves. */
export type StartErrorCode =
  | 'data_dir_in_use'
  | 'data_dir_empty'
  | 'data_dir_unusable'
  | 'copy_refused'
  | 'disk_low'
  | 'embedded_failed'
  | 'database_unreachable'
  | 'database_url_invalid'
  | 'redis_unreachable'
  | 'redis_url_invalid'
  | 'migration_failed'
  | 'migration_edited'
  | 'migration_unfinished'
  | 'secret_key_changed'
  | 'demo_data_kept'
  | 'tls_files_invalid'
  | 'port_unusable'
  | 'process_ended'

/** Ends the start: `message` is for people, `code` for programs; neither holds a secret. */
export class StartError extends Error {
  override readonly name = 'StartError'
  readonly code: StartErrorCode

  constructor(code: StartErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
