// Runs commands of ours one after another in this process, and prints as JSON what each printed and how it ended: starting anew takes a second each.
import { pathToFileURL } from 'node:url'

const printed = { stdout: '', stderr: '' }
const print = process.stdout.write.bind(process.stdout)
const capture = (name: keyof typeof printed) => (text: string | Uint8Array) => {
  printed[name] += text
  return true
}
process.stdout.write = capture('stdout')
process.stderr.write = capture('stderr')

const ended: object[] = []
const commands: readonly (readonly [script: string, ...given: string[]])[] = JSON.parse(process.argv[2] ?? '[]')
for (const [index, [script, ...given]] of commands.entries()) {
  Object.assign(printed, { stdout: '', stderr: '' })
  process.argv = [process.execPath, script, ...given]
  process.exitCode = 0
  // Each time anew: its own work is done at import.
  await import(`${pathToFileURL(script)}?${index}`)
  ended.push({ status: process.exitCode, ...printed })
}
process.exitCode = 0
print(JSON.stringify(ended))
