// npm run audit:verify -- [--checkpoint FILE] [--organization ID]     replays the audit log and says what is wrong with it; exit code 1 when anything is.
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { withServices } from './with-services.ts'

const { values } = parseArgs({ options: { checkpoint: { type: 'string' }, organization: { type: 'string' } } })
const checkpoint = values.checkpoint === undefined ? undefined : readFileSync(values.checkpoint, 'utf8').trim()

const organizationId = values.organization === undefined ? undefined : z.uuid().parse(values.organization).toLowerCase()

await withServices(async ({ services }) => {
  const { isIntact, events, chains, faults } = await services.verification.verify({ organizationId, checkpoint })
  for (const { kind, organizationId, from, to, message } of faults)
    console.log([kind, organizationId ?? 'system', from === undefined && to === undefined ? '-' : `${from ?? ''}-${to ?? ''}`, message].join('  '))
  console.log(isIntact ? `Intact: ${events} events in ${chains} chains.` : `Not intact: ${faults.length} faults in ${events} events of ${chains} chains.`)
  if (!isIntact) process.exitCode = 1
})
