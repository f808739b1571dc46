// A listening socket that shows a holder lives to processes of other containers, whose process numbers are not ours.
import { connect, createServer } from 'node:net'

/** The longest path a unix socket can have on every system we run on. */
export const longestSocketPath = 103

/** Listens at `path` for as long as this process lives; the kernel answers even while the process is stopped. */
export async function lightBeacon(path: string): Promise<{ extinguish(): void }> {
  const server = createServer(socket => socket.destroy())
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve))
  server.unref()
  return { extinguish: () => server.close() }
}

/** Does a process behind the socket at `path` live? */
export async function isLit(path: string): Promise<boolean> {
  return await new Promise(resolve => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    // Nobody listens or nothing is there: dead. Anything else (a full backlog, a refused permission) counts as alive.
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'))
  })
}
