// npm run move -- postgresql://…     copies the embedded database into an empty PostgreSQL database, while the server is stopped.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { misused, readArguments } from '../src/arguments.ts'
import { BackupError } from '../src/backup/backup.ts'
import { move } from '../src/backup/move.ts'
import { demoKeptText, findOpenDemo } from '../src/demo-kept.ts'
import { type Database, openDatabase } from '../src/platform/data/database.ts'
import { tableText, withBackups } from './with-backups.ts'

const usage = `Usage: npm run move -- postgresql://user@host/database
The database must be there, and empty. DATA_DIR stays as it is. Of a password in the address others may read: PGPASSWORD in the environment is better.`

const given = readArguments({ usage, positionals: 1, options: {} })
const [url] = given?.positionals ?? []

if (given && !/^postgres(ql)?:\/\/./.test(url ?? '')) misused(usage, 'One address is given, and begins with postgresql://.')
else if (given && url !== undefined)
  await withBackups(async ({ config: { dataDir, secretKey }, beforeCommit }) => {
    if (!existsSync(join(dataDir, 'postgres'))) throw new BackupError('file_missing', `There is no embedded database in ${resolve(dataDir)}.`)
    const from = await openDatabase({ dataDir })
    try {
      const to = await openDatabase({ url, dataDir })
      const { tables, demo } = await moveInto(to, { from, beforeCommit }).finally(() => to.close())
      const key = secretKey === undefined ? `what ${join(dataDir, 'secret-key')} holds` : 'as it is now: nothing opens under another'
      console.log(
        `${tableText(tables)}\nMoved: both databases hold the same. Change two settings:\n  DATABASE_URL  the address given here\n  SECRET_KEY    ${key}`,
      )
      if (demo.length > 0) console.error(demoKeptText(demo))
    } finally {
      await from.close()
    }
  })

async function moveInto(to: Database, { from, beforeCommit }: { from: Database; beforeCommit: () => void }) {
  const tables = await move({ from, to, beforeCommit })
  return { tables, demo: await findOpenDemo(to) }
}
