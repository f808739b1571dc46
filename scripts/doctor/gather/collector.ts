// Finds out about the collector of traces: whether anybody listens there. Nothing is sent.
import { once } from 'node:events'
import { connect } from 'node:net'
import type { CollectorFacts, Environment } from '../facts.ts'
import { failureOf, patienceMilliseconds } from './failure.ts'

/** Connects to it for a moment. */
export const gatherCollector = async ({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }: Environment): Promise<CollectorFacts> => {
  if (!endpoint || !URL.canParse(endpoint)) return {}
  const { protocol, hostname, port } = new URL(endpoint)
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || (protocol === 'https:' ? 443 : 80) })
  socket.setTimeout(patienceMilliseconds, () => socket.destroy(new Error(`no answer within ${patienceMilliseconds / 1000} seconds`)))
  try {
    await once(socket, 'connect')
    return {}
  } catch (error) {
    return { failure: failureOf(error) }
  } finally {
    socket.destroy()
  }
}
