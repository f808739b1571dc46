// Keeps mail for reading, where no server to send it by is named: development.
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Mailer } from './mail.ts'

const keptMail = z.object({ id: z.string(), at: z.string(), to: z.string(), subject: z.string(), text: z.string(), html: z.string() })

/** A mail that was kept; `at` is an ISO 8601 time. */
export type KeptMail = z.output<typeof keptMail>

/** A mailer that keeps what it is given, for reading. */
export interface Mailbox extends Mailer {
  /** The newest first. */
  list(): Promise<readonly KeptMail[]>
}

const keptAtMost = 200

/** Keeps mails as files in a folder that only this user may read. */
export const createMailbox = ({ directory, now }: { directory: string; now: () => Date }): Mailbox => {
  const names = async () => {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    return (await readdir(directory)).filter(name => name.endsWith('.json')).sort()
  }
  return {
    send: async mail => {
      const at = now().toISOString()
      const old = (await names()).slice(0, -keptAtMost)
      const path = join(directory, `${at.replace(/\D/g, '')}-${mail.id}`)
      // Whoever reads meanwhile finds the whole mail or none.
      await writeFile(`${path}.part`, JSON.stringify({ ...mail, at }), { mode: 0o600 })
      await rename(`${path}.part`, `${path}.json`)
      for (const name of old) await rm(join(directory, name), { force: true })
    },
    list: async () => {
      const files = (await names()).reverse()
      const mails: KeptMail[] = []
      // One after another: many who look at once must not open more files than a process may.
      for (const name of files) {
        const text = await readText(join(directory, name))
        if (text !== undefined) mails.push(keptMail.parse(JSON.parse(text)))
      }
      return mails
    },
    close: () => undefined,
  }
}

// One that was cleared away since it was listed is not there any more.
const readText = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
