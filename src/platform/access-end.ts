// The moment at which access ended: nothing from before it lives again, also when what it was for comes back.
//
// Decided: an end is for good. Whoever disables or deletes a client, a resource server or an organization ends what was issued to it, at it or
// in its name, and what people allowed it; bringing it back gives the means to get anew. So credentials stay (secrets, keys, API keys,
// registration access tokens, memberships; those of agents alone end, src/clients/agent-endings.ts), and sign-ins to the issuer are people's own.
// A client whose metadata document is refused for a while is away by its own doing: nobody ended it.

/** What may have ended. */
export interface Ending {
  readonly accessEndedAt?: Date | null | undefined
}

/** Whether a token that was issued then is from before the end; `issuedAt`: seconds since 1970, as tokens say it. */
export const isFromBefore = ({ accessEndedAt }: Ending, issuedAt: number | undefined): boolean =>
  accessEndedAt !== undefined && accessEndedAt !== null && (issuedAt ?? 0) * 1000 <= accessEndedAt.getTime()

/**
 * The end as it is kept of what comes back now: also what was issued while it was away ends, by whoever did not know of that yet. What is
 * issued in this second lives, as tokens tell no less.
 */
export const endOfAbsence = ({ accessEndedAt }: Ending, now: Date): Date =>
  new Date(Math.max(accessEndedAt?.getTime() ?? 0, Math.floor(now.getTime() / 1000) * 1000 - 1))

/** The end as it is kept of what is switched off or on by a change; none where it is neither. */
export const endOfSwitching = (
  before: Ending & { readonly disabledAt: Date | null },
  { isDisabled, now }: { readonly isDisabled?: boolean | undefined; readonly now: Date },
): { readonly accessEndedAt?: Date } => {
  if (isDisabled) return { accessEndedAt: now }
  return isDisabled === false && before.disabledAt !== null ? { accessEndedAt: endOfAbsence(before, now) } : {}
}
