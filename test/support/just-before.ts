// What happens at the one moment that a test is about: just before a statement is sent.
import type { Database } from '../../src/platform/data/database.ts'

/** Does the work once, just before the next statement of this name whose values are meant, and puts everything back. Answers whether the moment came. */
export const justBefore = (
  database: Database,
  name: string,
  work: () => Promise<unknown>,
  isMeant: (values: readonly unknown[]) => boolean = () => true,
): (() => boolean) => {
  const run = database.run.bind(database)
  let hasCome = false
  Object.assign(database, {
    run: async (...given: Parameters<typeof run>) => {
      if (given[0].name !== name || hasCome || !isMeant(given[1] ?? [])) return run(...given)
      hasCome = true
      Object.assign(database, { run })
      await work()
      return run(...given)
    },
  })
  return () => hasCome
}
