// Lets a server listen, or says in a sentence why it cannot.
import { once } from 'node:events'
import type { Server } from 'node:http'
import { StartError } from './platform/data/start-error.ts'

interface Place {
  readonly port: number
  readonly host?: string | undefined
  /** The setting that the port stands in. */
  readonly setting: 'PORT' | 'METRICS_PORT'
}

/** Listens. Throws a StartError `port_unusable` where the port is taken or not allowed, or the address not of this machine. */
export const listenOn = async (server: Server, { port, host, setting }: Place): Promise<void> => {
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
    const reason = reasons[code]?.(setting)
    if (reason === undefined) throw cause
    throw new StartError('port_unusable', `Nothing can listen on port ${port}${host === undefined ? '' : ` of ${host}`}: ${reason} (${code})`, { cause })
  }
}

type Reason = (setting: string) => string

const unknownHost: Reason = () => 'HOST is no address of this machine.'
const reasons: Readonly<Record<string, Reason | undefined>> = {
  EADDRINUSE: setting => `another program does already. End that one, or set ${setting} to another port.`,
  EACCES: setting => `that needs rights that this process does not have. Set ${setting} to a port above 1023.`,
  EADDRNOTAVAIL: unknownHost,
  ENOTFOUND: unknownHost,
}
