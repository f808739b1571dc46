// What is wrong with a caller's connection, which is theirs to mend: bytes that are no HTTP, and leaving in the middle.
import { type Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Log } from '../log.ts'
import type { SecurityHeaders } from './headers.ts'

const codes = new Set(['ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_HTTP_REQUEST_TIMEOUT'])

/** Whether an error is of the caller's connection; to be asked after `isUnavailable`, for our own connections are lost in the same words. */
export const isOfConnection = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return codes.has(code) || code.startsWith('HPE_')
}

/** Answers what cannot be parsed with 400 or its like and the headers, unless an answer has begun, and closes the connection. */
export const refuseMalformed = (server: Server, { log, headers }: { readonly log: Log; readonly headers: SecurityHeaders }): void => {
  const lines = Object.entries({ ...headers, Connection: 'close', 'Content-Length': '0' }).map(([name, value]) => `${name}: ${value}\r\n`)
  server.on('clientError', (error: Error, socket: Duplex) => {
    log.debug({ err: error }, 'a request was malformed')
    const current: unknown = Reflect.get(socket, '_httpMessage')
    const hasBegun = current instanceof ServerResponse && current.headersSent
    if (socket.writable && !hasBegun) socket.write(`HTTP/1.1 ${statusOf(error)}\r\n${lines.join('')}\r\n`)
    socket.destroy()
  })
}

const statusOf = (error: Error) => {
  const code = 'code' in error ? error.code : undefined
  if (code === 'HPE_HEADER_OVERFLOW') return '431 Request Header Fields Too Large'
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? '408 Request Timeout' : '400 Bad Request'
}
