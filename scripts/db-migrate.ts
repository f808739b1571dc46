// npm run db:migrate     brings the database to the newest schema and says what was applied.
import { readConfig } from '../src/config.ts'
import { openDatabase } from '../src/platform/data/database.ts'
import { migrate } from '../src/platform/data/migrate.ts'
import { StartError } from '../src/platform/data/start-error.ts'

try {
  const { databaseUrl, dataDir } = readConfig(process.env)
  const database = await openDatabase({ url: databaseUrl, dataDir })
  try {
    const applied = await migrate(database)
    console.log(applied.length === 0 ? 'The database is up to date.' : `Applied: ${applied.join(', ')}`)
  } finally {
    await database.close()
  }
} catch (error) {
  if (!(error instanceof StartError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
