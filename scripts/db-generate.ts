// npm run db:generate     makes Prisma's client from the schema. Downloads nothing; does nothing where the prisma package is not installed.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { prismaCommand, prismaEnvironment } from './prisma-command.ts'
import { slimClient } from './slim-client.ts'

const command = prismaCommand()
if (command === undefined) {
  const isThere = existsSync(new URL('../src/platform/data/generated/client.ts', import.meta.url))
  console.log(
    isThere ? "Prisma's client is used as it is: the prisma package is not installed." : "Prisma's client is missing and the prisma package is not installed.",
  )
  process.exit(isThere ? 0 : 1)
}
const config = fileURLToPath(new URL('../prisma/prisma.config.ts', import.meta.url))
const { status, stdout, stderr } = spawnSync(process.execPath, [command, 'generate', '--no-hints', '--config', config], {
  encoding: 'utf8',
  env: prismaEnvironment(process.env),
})
if (status !== 0) {
  process.stderr.write(stdout + stderr)
  process.exit(status ?? 1)
}
await slimClient(fileURLToPath(new URL('../src/platform/data/generated', import.meta.url)))
