// What the page of one's agents shows: those there are, one that was made just now, and what was typed and not taken.

/** It. Times in milliseconds. */
export interface ShownAgents {
  readonly agents: readonly {
    readonly id: string
    readonly name: string
    readonly clientId: string
    /** Else it authenticates by keys. */
    readonly hasSecret: boolean
    /** The addresses that it returns to. */
    readonly returns: readonly string[]
    readonly isDisabled: boolean
    readonly madeAt: number
    readonly usedAt?: number | undefined
  }[]
  /** The agent whose new name was not taken. */
  readonly renaming?: string | undefined
  /** What was typed and not taken: its new name, or the name and the address of an agent to be made. */
  readonly typed?: { readonly label?: string | undefined; readonly name?: string | undefined; readonly redirect?: string | undefined }
  /** What was made just now; its secret is told this once. */
  readonly made?: { readonly name: string; readonly clientId: string; readonly secret: string } | undefined
}
