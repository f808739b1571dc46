// Requests whose body is read at once where it is there, as nearly all are when they are begun: what Node gives to iterate over a body costs a
// twentieth of a token request.
import { IncomingMessage } from 'node:http'

type Iterate = IncomingMessage['iterator']

/** What a server makes its requests of. */
export class Incoming extends IncomingMessage {
  /** How much of its body came so far. */
  bytesReceived = 0

  override push(chunk: Buffer | null, encoding?: BufferEncoding): boolean {
    this.bytesReceived += chunk?.length ?? 0
    return super.push(chunk, encoding)
  }

  override iterator(...given: Parameters<Iterate>): ReturnType<Iterate> {
    return this.complete && !this.destroyed ? (new Whole(this) as unknown as ReturnType<Iterate>) : super.iterator(...given)
  }
}

/** All that is there, and then the end: as much of an iterator as `for await` needs. */
class Whole {
  readonly #request: IncomingMessage

  constructor(request: IncomingMessage) {
    this.#request = request
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    const value: unknown = this.#request.read()
    return Promise.resolve(value === null ? { done: true, value: undefined } : { done: false, value })
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
