// Copies the files of a running embedded database for whoever may reach its private folder, while nothing is written.
import { constants, rmSync } from 'node:fs'
import { cp, rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { basename, dirname, join, resolve } from 'node:path'

/** The socket at which copies are asked for, in the folder of the database's own. */
export const copySocket = (folder: string): string => join(folder, 'copies')

/** What a folder for a copy is called: it lies beside the database's own. */
export const copyPrefix = 'copy-'

interface Served {
  /** The database's files. */
  readonly directory: string
  readonly socket: string
  /** Runs work while the database writes nothing. */
  readonly atRest: (work: () => Promise<void>) => Promise<void>
}

/** Listens for as long as the process lives. One line asks, with the path of the folder to be made; one answers: `done` or what went wrong. */
export async function serveCopies({ directory, socket, atRest }: Served): Promise<void> {
  rmSync(socket, { force: true })
  const isBeside = (target: string): boolean => {
    const home = dirname(target)
    return resolve(target) === target && dirname(home) === dirname(directory) && basename(home).startsWith(copyPrefix)
  }
  const answer = async (target: string): Promise<string> => {
    if (!isBeside(target)) return 'copies are made beside the database alone'
    const options = { recursive: true, mode: constants.COPYFILE_FICLONE, errorOnExist: true, force: false }
    return atRest(() => cp(directory, target, options)).then(
      () => 'done',
      (error: Error) => error.message,
    )
  }
  const server = createServer(client => {
    client.on('error', () => client.destroy())
    void readLine(client).then(async line => {
      client.end(`${await answer(line)}\n`)
      // Whoever left meanwhile removed what was there then, and no more.
      if (client.destroyed && isBeside(line))
        await rm(dirname(line), { recursive: true, force: true }).catch((error: Error) =>
          console.error('the copy of a backup that was broken off stays', error),
        )
    })
  })
  await new Promise<void>((settle, reject) => server.once('error', reject).listen(socket, settle))
  server.unref()
}

/** The first line of what a socket says; all of it where it says no whole line. */
export function readLine(socket: Socket): Promise<string> {
  return new Promise(settle => {
    let text = ''
    socket.setEncoding('utf8')
    socket.on('data', (part: string) => {
      text += part
      if (text.includes('\n')) settle(text.split('\n', 1)[0] ?? '')
    })
    socket.once('close', () => settle(text))
  })
}
