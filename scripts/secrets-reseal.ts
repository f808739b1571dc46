// npm run secrets:reseal     seals anew, under SECRET_KEY, what is still sealed under one of SECRET_KEY_PREVIOUS; servers may run on.
import { readArguments } from '../src/arguments.ts'
import { systemActor } from '../src/platform/actor.ts'
import { withServices } from './with-services.ts'

const usage = `Usage: npm run secrets:reseal -- [options]
  --count                 only tells how many values are sealed under an older key
Exit code 0: nothing is left; 1: something is left, or could not be opened.`
const given = readArguments({ usage, options: { count: { type: 'boolean', default: false } } })

const tell = (what: string, counts: Readonly<Record<string, number>>) => {
  for (const [column, count] of Object.entries(counts)) console.log(`${what}  ${column}  ${count}`)
}

if (given)
  await withServices(async ({ services: { reseal } }) => {
    if (!given.values.count) {
      const { resealed, unreadable } = await reseal.run(systemActor)
      tell('sealed anew', resealed)
      tell('opens under none of the keys', unreadable)
    }
    const left = await reseal.countOlder()
    tell('under an older key', left)
    const isDone = Object.keys(left).length === 0
    console.log(isDone ? 'Everything that is kept is sealed under SECRET_KEY.' : 'Not everything is sealed under SECRET_KEY yet.')
    if (!isDone) process.exitCode = 1
  })
