// What the server and its embedded database process tell each other.

/** Given to the process when it is started, as JSON in its first argument. */
export interface EmbeddedSettings {
  readonly directory: string
  readonly socket: string
  readonly floorBytes: number
  readonly isBrief: boolean
}

/** From the server. */
export type Order = { readonly kind: 'stop' }

/** From the database process. A beat a second says that its event loop turns. */
export type Report =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'beat'; readonly freeBytes: number; readonly isDiskLow: boolean }
