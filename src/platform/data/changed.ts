// What a change would change: the names of the fields that are given.

/** The names whose values are not `undefined`; none: there is nothing to change, and so nothing to tell of. */
export const namesOf = (changes: object): string[] => Object.entries(changes).flatMap(([name, value]) => (value === undefined ? [] : [name]))
