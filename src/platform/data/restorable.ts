// For how long what was deleted softly can be brought back, before it is forgotten for good.

const keptMilliseconds = 30 * 86_400_000

/** What was deleted after this moment can be restored; what was deleted at it or before is due to be purged. */
export const restorableSince = (now: Date): Date => new Date(now.getTime() - keptMilliseconds)
