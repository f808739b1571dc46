// npm run db:migrate     brings the database to the newest schema and says what was applied.
import { isToRun } from '../src/arguments.ts'
import { withServices } from './with-services.ts'

const usage = `Usage: npm run db:migrate
Applies what the database of DATABASE_URL (without it the embedded one in DATA_DIR) lacks of our migrations. Takes no options.`

// Opening migrates: every command and server does so first.
if (isToRun(usage))
  await withServices(async ({ resources: { applied } }) => {
    console.log(applied.length === 0 ? 'The database is up to date.' : `Applied: ${applied.join(', ')}`)
  })
