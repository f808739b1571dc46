// Reads a form that was posted to an upstream.
import type { IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'

/** Its fields. */
export const readForm = async (request: IncomingMessage): Promise<URLSearchParams> => new URLSearchParams(await text(request))
