// The words of this slice: a challenge, which is sent to an address and proven once by whoever reads its mail.

/** What a proof is for. A challenge of one purpose is nothing for another. */
export type Purpose =
  | 'email_verification'
  | 'password_reset'
  | 'sign_in'
  | 'sign_up'
  | 'email_change'
  | 'email_change_approval'
  | 'email_undo'
  | 'account_restore'

/** A challenge that was answered, or could be. */
export interface Challenge {
  readonly id: string
  readonly purpose: Purpose
  readonly userId?: string
  /** The address it was sent to, in its canonical form. */
  readonly email: string
  readonly details: Readonly<Record<string, unknown>>
  readonly expiresAt: Date
}

/** A challenge to be sent. */
export interface NewChallenge {
  readonly purpose: Purpose
  readonly email: string
  readonly userId?: string
  readonly ttlSeconds: number
  readonly details?: Readonly<Record<string, string | boolean | null>>
  /** Ties the code to the browser that asked; without it there is a link alone. */
  readonly binding?: string
}

/** Six digits: guessed in five tries once in two hundred thousand. */
export const codeDigits = 6
