// npm run doctor [-- --json]     reads the settings as the server would, looks where they lead, and says what is wrong. Changes nothing.
import { misused, readArguments } from '../src/arguments.ts'
import { loadEnvironmentFile } from '../src/process.ts'
import { examine } from './doctor/examine.ts'
import { gather } from './doctor/gather.ts'
import { asJson, asText, unexamined } from './doctor/report.ts'

const usage = `Usage: npm run doctor [-- options]
  --json                  for programs
  --seconds N             how long to wait for answers at most (8)
Exit code 0: nothing is wrong, though there may be warnings; 1: something is wrong; 2: not as above.`

const given = readArguments({ usage, options: { json: { type: 'boolean', default: false }, seconds: { type: 'string', default: '8' } } })
const seconds = Number(given?.values.seconds)

if (given && !(seconds > 0 && seconds <= 600)) misused(usage, 'Seconds are a number from 1 to 600.')
else if (given) {
  loadEnvironmentFile()
  const found = await gather(seconds)
  const findings = examine(process.env, found)
  console.log((given.values.json ? asJson : asText)({ findings, unexamined: unexamined(found.database) }))
  process.exitCode = findings.some(({ level }) => level === 'wrong') ? 1 : 0
}
