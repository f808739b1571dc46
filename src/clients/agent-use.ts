// When agents of people last got a token, for the person to see which of theirs are at work.
import { type Database, statement } from '../platform/data/database.ts'

const note = statement(
  'agent-use',
  "UPDATE clients SET last_used_at = now() WHERE client_id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')",
)

/** Notes it, to the minute. */
export type NoteAgentUse = (clientId: string) => Promise<void>

/** Makes it. */
export const createNoteAgentUse =
  (database: Database): NoteAgentUse =>
  async clientId => {
    await database.run(note, [clientId])
  }
