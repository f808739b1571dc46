// npm run audit:verify -- [--checkpoint FILE] [--organization ID]     replays the audit log and says what is wrong with it; exit code 1 when anything is.
import { existsSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import { misused, readArguments } from '../src/arguments.ts'
import { withServices } from './with-services.ts'

const usage = `Usage: npm run audit:verify -- [options]
  --checkpoint FILE       hold the log also against a signed checkpoint that was kept elsewhere
  --organization ID       the chain of one organization alone
Exit code 0: intact; 1: altered, or it could not be verified; 2: not as above.`

const given = readArguments({ usage, options: { checkpoint: { type: 'string' }, organization: { type: 'string' } } })
const file = given?.values.checkpoint
const organization = z.uuid().optional().safeParse(given?.values.organization)

if (given && !organization.success) misused(usage, 'An organization is named by its id, a UUID.')
else if (file !== undefined && !existsSync(file)) misused(usage, `There is no file ${file}.`)
else if (given) {
  const asked = { organizationId: organization.data?.toLowerCase(), checkpoint: file === undefined ? undefined : readFileSync(file, 'utf8').trim() }
  await withServices(async ({ services }) => {
    const { isIntact, events, chains, faults } = await services.verification.verify(asked)
    for (const { kind, organizationId, from, to, message } of faults)
      console.log([kind, organizationId ?? 'system', from === undefined && to === undefined ? '-' : `${from ?? ''}-${to ?? ''}`, message].join('  '))
    console.log(isIntact ? `Intact: ${events} events in ${chains} chains.` : `Not intact: ${faults.length} faults in ${events} events of ${chains} chains.`)
    if (!isIntact) process.exitCode = 1
  })
}
