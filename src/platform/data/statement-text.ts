// What a driver is asked to send.
/** The text of what a driver is asked to send, be it a text or an object that has one; of anything else ''. */
export const textOf = (query: unknown): string => {
  if (typeof query === 'string') return query
  const text: unknown = typeof query === 'object' && query !== null ? Reflect.get(query, 'text') : ''
  return typeof text === 'string' ? text : ''
}
