// Commands to Redis as spans of the trace they belong to: by their name, never by their keys or values. ioredis has a diagnostics channel, but
// commands of several requests that share one write are told there as the first one's.
import type { Cluster, Redis } from 'ioredis'
import { told } from '../tracing/tracing.ts'

/** Has a client's commands tell of themselves, those that are defined later too. */
export const tellCommands = (client: Redis | Cluster): void => {
  const tell = (name: string) => {
    const send: unknown = Reflect.get(client, name)
    if (typeof send !== 'function') return
    const tellOne = told(
      (given: readonly unknown[]): unknown => send.apply(client, given),
      () => ({ name, attributes: { 'db.system.name': 'redis', 'db.operation.name': name } }),
    )
    // What shares a write is a list that borrows the client's own functions.
    const command = function (this: unknown, ...given: unknown[]): unknown {
      return this === client ? tellOne(given) : send.apply(this, given)
    }
    Object.assign(client, { [name]: command })
  }
  for (const name of client.getBuiltinCommands()) if (!apart.has(name)) tell(name)
  const define = client.defineCommand.bind(client)
  Object.assign(client, {
    defineCommand: (name: string, definition: Parameters<typeof define>[1]) => {
      define(name, definition)
      tell(name)
    },
  })
}

// They begin what is sent later, or are the connection's own.
const apart = new Set(['multi', 'exec', 'quit', 'monitor', 'subscribe', 'psubscribe'])
