// npm run db:migrate     brings the database to the newest schema and says what was applied.
import { withServices } from './with-services.ts'

// Opening migrates: every command and server does so first.
await withServices(async ({ resources: { applied } }) => {
  console.log(applied.length === 0 ? 'The database is up to date.' : `Applied: ${applied.join(', ')}`)
})
