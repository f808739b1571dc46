// What a value of unknown shape is.

/** Whether it is an object with names, which a list is not. */
export const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The texts of a list; none of what is no list. */
export const strings = (value: unknown): string[] => (Array.isArray(value) ? value.filter(item => typeof item === 'string') : [])
