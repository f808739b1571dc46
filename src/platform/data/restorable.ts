// For how long what was deleted softly can be brought back, before it is forgotten for good.

/** For so many days. */
export const restorableDays = 30

/** What was deleted after this moment can be restored; what was deleted at it or before is due to be purged. */
export const restorableSince = (now: Date): Date => new Date(now.getTime() - restorableDays * 86_400_000)
