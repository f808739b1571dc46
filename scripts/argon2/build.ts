// Compiles a copy of the argon2 package for this machine's processor, with the node-gyp that npm brings along.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Why nothing was built, in a sentence or two for who asked for it. */
export class NotBuilt extends Error {}

interface Place {
  /** The package as it is installed. */
  readonly installed: string
  /** Where the copy is made. */
  readonly folder: string
  readonly environment: NodeJS.ProcessEnv
}

/** Copies and compiles; answers the binary's path. Throws {@link NotBuilt} where a tool or Node's headers are missing, or the compiler fails. */
export function buildForProcessor({ installed, folder, environment }: Place): string {
  const nodeGyp = environment.npm_config_node_gyp
  if (!nodeGyp) throw new NotBuilt('npm brings the tool that builds along: run this by npm run argon2:native.')
  demandTool(environment.CXX || 'c++', '--version', 'A compiler for C++ is needed, such as Debian’s package build-essential.')
  demandTool('make', '--version', 'make is needed, such as from Debian’s package build-essential.')
  demandTool('python3', '--version', 'Python 3 is needed, such as Debian’s package python3.')
  cpSync(installed, folder, { recursive: true, filter: path => path !== join(installed, 'build') })
  rmSync(join(folder, 'prebuilds'), { recursive: true, force: true })

  const nodedir = headersOf(environment)
  const flags = '-O3 -march=native'
  const { status, stdout, stderr } = spawnSync(process.execPath, [nodeGyp, 'rebuild', ...(nodedir ? [`--nodedir=${nodedir}`] : [])], {
    cwd: folder,
    encoding: 'utf8',
    // The copy finds the headers that argon2 is written against where the package found them.
    env: { ...environment, CFLAGS: flags, CXXFLAGS: flags, NODE_PATH: dirname(installed) },
  })
  const binary = join(folder, 'build/Release/argon2.node')
  if (status === 0 && existsSync(binary)) return binary
  const words = `${stdout}${stderr}`
  if (nodedir === undefined && /headers|nodejs\.org|ENOTFOUND|ECONN|EAI_AGAIN|network/i.test(words)) {
    throw new NotBuilt(
      `The headers of Node ${process.version} are not beside it and could not be fetched. Say where they are: npm_config_nodedir=/usr, where /usr/include/node/node_api.h is.`,
    )
  }
  throw new NotBuilt(`The compiler failed:\n${words.slice(-2000)}`)
}

function demandTool(command: string, argument: string, sentence: string): void {
  if (spawnSync(command, [argument], { stdio: 'ignore' }).status !== 0) throw new NotBuilt(sentence)
}

/** Where Node's headers are: as told, or beside this Node; `undefined` leaves it to node-gyp to fetch them. */
function headersOf(environment: NodeJS.ProcessEnv): string | undefined {
  if (environment.npm_config_nodedir) return environment.npm_config_nodedir
  const prefix = dirname(dirname(process.execPath))
  return existsSync(join(prefix, 'include/node/node_api.h')) ? prefix : undefined
}
