// Checks of this machine: Node, limits, disk, and who may read what lies on it.
import { inMebibytes } from '../../../src/platform/data/disk.ts'
import type { Check } from '../check.ts'
import type { FileFacts } from '../facts.ts'

const leastNode = [22, 20] as const
const fewestFiles = 4096
const mebibyte = 1_048_576
const floorBytes = 256 * mebibyte
const lowBytes = 1024 * mebibyte
const isOpen = (file: FileFacts | undefined) => file !== undefined && (file.mode & 0o077) !== 0
const modeOf = (file: FileFacts | undefined) => (file?.mode ?? 0).toString(8).padStart(3, '0')

export const machineChecks: readonly Check[] = [
  {
    code: 'node_old',
    level: 'wrong',
    why: 'The server does not start on it, or only until it meets what is missing.',
    mend: 'Use Node 24, or 22.20 and newer.',
    look: ({ machine: { nodeVersion } }) => {
      const [major = 0, minor = 0] = (nodeVersion ?? '99').split('.').map(Number)
      return (major < leastNode[0] || (major === leastNode[0] && minor < leastNode[1])) && `Node is version ${nodeVersion}.`
    },
  },
  {
    code: 'files_few',
    level: 'warning',
    why: 'Every connection is an open file: at the limit the server takes no more.',
    mend: 'Set LimitNOFILE=65536 in the unit, or ulimit -n 65536.',
    look: ({ settings, machine: { openFiles } }) =>
      settings.isProduction && openFiles !== undefined && openFiles < fewestFiles && `A process may open ${openFiles} files.`,
  },
  {
    code: 'disk_full',
    level: 'wrong',
    why: 'The embedded database takes no writes any more, and does not start.',
    mend: 'Make room on the disk of DATA_DIR, or set DATA_DIR or DATABASE_URL to another place.',
    look: ({ environment, settings, machine: { freeBytes } }) =>
      !environment.DATABASE_URL && freeBytes !== undefined && freeBytes < floorBytes && `The disk of ${settings.dataDir} has ${inMebibytes(freeBytes)} left.`,
  },
  {
    code: 'disk_low',
    level: 'warning',
    why: 'Logs or a database on it will soon find no room.',
    mend: 'Make room on the disk of DATA_DIR.',
    look: ({ environment, settings, machine: { freeBytes = lowBytes } }) => {
      const isTold = !environment.DATABASE_URL && freeBytes < floorBytes
      return freeBytes < lowBytes && !isTold && `The disk of ${settings.dataDir} has ${inMebibytes(freeBytes)} left.`
    },
  },
  {
    code: 'data_dir_open',
    level: 'wrong',
    why: 'Other users of this machine read the database and the key that it is sealed under.',
    mend: 'chmod -R go= on DATA_DIR, and let the user that runs the server own it.',
    look: ({ environment, settings, machine: { dataDir } }) =>
      !environment.DATABASE_URL && isOpen(dataDir) && `${settings.dataDir} is open to other users (mode ${modeOf(dataDir)}).`,
  },
  {
    code: 'data_dir_unusable',
    level: 'wrong',
    why: 'The embedded database cannot be read or written.',
    mend: 'chown DATA_DIR to the user that runs the server.',
    look: ({ environment, settings, machine: { dataDir } }) =>
      !environment.DATABASE_URL && dataDir?.isUsable === false && `This user may not read and write ${settings.dataDir}.`,
  },
  {
    code: 'env_file_open',
    level: 'warning',
    why: 'Other users of this machine read SECRET_KEY and the passwords in it.',
    mend: 'chmod 600 .env',
    look: ({ machine: { environmentFile } }) => isOpen(environmentFile) && `.env is open to other users (mode ${modeOf(environmentFile)}).`,
  },
]
