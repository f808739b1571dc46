// Reads what has arrived before a command is given up: a process that was kept from its turn finds its timers due first, though the answers
// are there already, and would take its own delay for one of Redis.
import type { Command, Redis } from 'ioredis'

/** Has a connection's commands that are out of time wait until the event loop has read its sockets once more. */
export const hearBeforeGivingUp = (client: Redis): void => {
  const send = client.sendCommand.bind(client)
  Object.assign(client, {
    sendCommand: (command: Command, ...more: [never?]) => {
      const { reject } = command
      command.reject = error => {
        if (error.message === 'Command timed out') setImmediate(() => command.isSettled || reject(error))
        else reject(error)
      }
      return send(command, ...more)
    },
  })
}
