// What the pages in the gallery have in common: who is shown, and where their forms lead.

/** A page in its states. */
export type StatesOf<Locals> = { readonly plain: Locals; readonly [state: string]: Locals }

export const home = '/dev/gallery'
export const csrf = 'k3Jx0pQm8vT1cZ5s'
export const email = 'ada@papertrail.example'
export const longEmail = 'ada.augusta.king.countess.of.lovelace@analytical-engine.mathematics.example'
