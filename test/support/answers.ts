// Records everything that a server answers: status line aside, its headers but for cookies, and its bodies.
import type { RequestListener, ServerResponse } from 'node:http'

/** One answer. */
export interface Recorded {
  readonly url: string
  readonly text: string
}

/** Makes a recorder to stand before the app. */
export const recordAnswers = () => {
  const answers: Recorded[] = []
  const through =
    (app: RequestListener): RequestListener =>
    (request, response) => {
      const { chunks, heads } = tapped(response)
      response.on('close', () => {
        const { 'set-cookie': _cookies, ...headers } = response.getHeaders()
        answers.push({ url: `${request.method} ${request.url}`, text: `${JSON.stringify([headers, heads])}\n${Buffer.concat(chunks).toString('utf8')}` })
      })
      return app(request, response)
    }
  return { answers, through }
}

// Headers that go out with the status line are never put on.
const tapped = (response: ServerResponse) => {
  const chunks: Buffer[] = []
  const heads: unknown[] = []
  const writeHead = response.writeHead.bind(response) as (...values: unknown[]) => never
  response.writeHead = ((...values: unknown[]) => {
    heads.push(values)
    return writeHead(...values)
  }) as never
  for (const name of ['write', 'end'] as const) {
    const original = response[name].bind(response) as (...values: unknown[]) => never
    response[name] = ((...values: unknown[]) => {
      const [chunk] = values
      if (typeof chunk === 'string' || chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk as string))
      return original(...values)
    }) as never
  }
  return { chunks, heads }
}
