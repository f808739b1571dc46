// npm run restore -- FILE [--replace] [--keep-sessions] [--yes]     puts a backup into an empty database, while no server runs.
import { once } from 'node:events'
import { createInterface } from 'node:readline/promises'
import { misused, readArguments } from '../src/arguments.ts'
import { readWhole } from '../src/backup/files.ts'
import { restore } from '../src/backup/restore.ts'
import { readToldErasures } from '../src/backup/told-erasures.ts'
import { createEndHeldAgents } from '../src/clients/agent-endings.ts'
import { endGrantsOfAgents } from '../src/oidc/agent-grants.ts'
import { endBackchannelRequestsOfClient } from '../src/oidc/backchannel-requests.ts'
import { describeUrl } from '../src/platform/data/connection.ts'
import { openDatabase } from '../src/platform/data/database.ts'
import { fanOut } from '../src/webhooks/fan-out.ts'
import { tableText, withBackups } from './with-backups.ts'

const usage = `Usage: npm run restore -- FILE [options]
  --replace               throw away what the database holds; else it must be empty
  --keep-sessions         people stay signed in, and clients keep their tokens: those that were ended since the backup live again
  --deleted FILE          an export of the audit log (NDJSON): whom it tells to be deleted is deleted again
  --revive                with --replace: those live again who were deleted since the backup; else they are deleted again
  --yes                   do not ask before anything is thrown away
Everything is checked before the database is touched, and written in one transaction. Needs the SECRET_KEY of the backup. Stop all servers first.`

const given = readArguments({
  usage,
  positionals: 1,
  options: {
    replace: { type: 'boolean', default: false },
    'keep-sessions': { type: 'boolean', default: false },
    deleted: { type: 'string' },
    revive: { type: 'boolean', default: false },
    yes: { type: 'boolean', default: false },
  },
})
const [file] = given?.positionals ?? []

if (given && file === undefined) misused(usage, 'One file is named.')
else if (given?.values.replace && !given.values.yes && !process.stdin.isTTY) misused(usage, 'Nobody can be asked here: --replace needs --yes.')
else if (given && file !== undefined)
  await withBackups(async ({ config, cipher, beforeCommit, ...needs }) => {
    const { replace: isReplaced, 'keep-sessions': areSessionsKept, deleted, revive: areDeletedRevived, yes } = given.values
    if (isReplaced && !yes && !(await isSure(config.databaseUrl === undefined ? config.dataDir : describeUrl(config.databaseUrl)))) return
    const toldErasures = deleted === undefined ? [] : await readToldErasures(deleted)
    const { header, tables, liveKeys, erased } = await restore(
      {
        ...needs,
        outbox: fanOut,
        endAgents: createEndHeldAgents({ endRequests: endBackchannelRequestsOfClient, endGrants: endGrantsOfAgents, now: needs.now }),
      },
      {
        cipher,
        read: () => readWhole(file),
        open: () => openDatabase({ url: config.databaseUrl, dataDir: config.dataDir }),
        isReplaced,
        areSessionsKept,
        areDeletedRevived,
        toldErasures,
        beforeCommit,
      },
    )
    const sessions = areSessionsKept ? 'People stay signed in.' : 'Everybody signs in again.'
    const again =
      (isReplaced && !areDeletedRevived) || deleted !== undefined ? ` ${erased.length} people and organizations that were deleted since are deleted again.` : ''
    console.log(
      `${tableText(tables)}\nRestored as it was at ${header.created_at}. ${sessions}${again} Whatever else was deleted or taken back since then is there again.`,
    )
    if (liveKeys.length > 0) console.error(keysText(liveKeys))
  })

function keysText(kids: readonly string[]): string {
  return `Signing keys too are as at the backup: of these, revoke again what was revoked since (npm run keys:rotate -- --revoke KID), before the servers start:\n  ${kids.join('\n  ')}`
}

async function isSure(name: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  // Whoever closes the terminal says nothing.
  const closed = once(lines, 'close').then(() => undefined)
  const answer = await Promise.race([lines.question(`All that ${name} holds is thrown away. Type ${name} to go on: `), closed])
  lines.close()
  if (answer === name) return true
  console.error('Nothing was changed.')
  process.exitCode = 1
  return false
}
