// The arguments of a command, or how it is used: told for --help, and for arguments that it does not know.
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'

/** Reads them; answers `undefined` where the usage was told instead, with exit code 2 unless it was asked for. */
export const readArguments = <Options extends ParseArgsOptionsConfig>({ usage, options }: { usage: string; options: Options }) => {
  if (process.argv.slice(2).some(argument => argument === '--help' || argument === '-h')) {
    console.log(usage)
    return undefined
  }
  try {
    return parseArgs({ allowPositionals: true, options })
  } catch (error) {
    if (!(error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))) throw error
    return misused(usage, error.message)
  }
}

/** Whether a command that takes no arguments is to do its work; else its usage was told, as by {@link readArguments}. */
export const isToRun = (usage: string): boolean => {
  const given = readArguments({ usage, options: {} })
  const [name] = given?.positionals ?? []
  if (name !== undefined) misused(usage, `There is nothing to do with ${name}.`)
  return given !== undefined && name === undefined
}

/** Tells the usage, and what is wrong where that is known. */
export const misused = (usage: string, fault?: string): undefined => {
  console.error(fault === undefined ? usage : `${fault}\n\n${usage}`)
  process.exitCode = 2
}
