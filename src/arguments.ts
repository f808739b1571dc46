// The arguments of a command, or how it is used: told for --help, and for arguments that it does not know or that never reached it.
import { basename } from 'node:path'
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'

interface Taken<Options> {
  readonly usage: string
  readonly options: Options
  /** How many arguments there are beside options, at most. */
  readonly positionals?: number
}

/** Reads them; answers `undefined` where the usage was told instead, with exit code 2 unless it was asked for. */
export const readArguments = <Options extends ParseArgsOptionsConfig>({ usage, options, positionals: most = 0 }: Taken<Options>) => {
  if (process.argv.slice(2).some(argument => argument === '--help' || argument === '-h')) {
    console.log(usage)
    return undefined
  }
  const swallowed = Object.keys(options).find(isSwallowed)
  if (swallowed !== undefined) return misused(usage, `npm took --${swallowed} for itself: what is for the command stands behind two dashes (--).`)
  try {
    const given = parseArgs({ allowPositionals: true, options })
    const beyond = given.positionals[most]
    return beyond === undefined ? given : misused(usage, `There is nothing to do with ${beyond}.`)
  } catch (error) {
    if (!(error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))) throw error
    return misused(usage, error.message)
  }
}

/** Whether a command that takes no arguments is to do its work; else its usage was told, as by {@link readArguments}. */
export const isToRun = (usage: string): boolean => readArguments({ usage, options: {} }) !== undefined

/** Tells the usage, and what is wrong where that is known. */
export const misused = (usage: string, fault?: string): undefined => {
  console.error(fault === undefined ? usage : `${fault}\n\n${usage}`)
  process.exitCode = 2
}

/**
 * Whether npm kept an option from its script: it takes those before `--` for settings of its own, and hands on what stood behind them as if it
 * stood alone. `--yes` is a setting of npm's that environments have anyway; whoever lacks it is asked.
 */
const isSwallowed = (option: string): boolean => {
  const { npm_lifecycle_script: script = '', [`npm_config_${option.replaceAll('-', '_')}`]: value = '' } = process.env
  const [, program = '', ...given] = process.argv
  const isGiven = given.some(one => one === `--${option}` || one.startsWith(`--${option}=`))
  return option !== 'yes' && value !== '' && value !== 'false' && !isGiven && script.split(/[ /]/).includes(basename(program))
}
