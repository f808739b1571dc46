// Where an interaction is: the address of its pages, and the place of its cookies.

/** The address of an interaction. */
export const baseOf = ({ uid }: { readonly uid: string }): string => `/interaction/${uid}`

/** The place of an interaction's cookies. */
export const placeOf = ({ uid }: { readonly uid: string }) => ({ path: baseOf({ uid }), binding: uid })
