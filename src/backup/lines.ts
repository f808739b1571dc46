// Bytes as lines of text, whatever they were cut into on the way.
import { damaged, isOfReading } from './backup.ts'

/**
 * The lines of bytes in UTF-8, without their ends. Throws a BackupError `damaged` for bytes that break off, on the way or within a line, and what
 * the system says of bytes that cannot be read.
 */
export async function* linesIn(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string, undefined, undefined> {
  let kept: Buffer[] = []
  for await (const chunk of unbroken(bytes)) {
    let from = 0
    for (let to = chunk.indexOf(10); to >= 0; to = chunk.indexOf(10, from)) {
      yield Buffer.concat([...kept, chunk.subarray(from, to)]).toString('utf8')
      kept = []
      from = to + 1
    }
    if (from < chunk.length) kept.push(chunk.subarray(from))
  }
  if (kept.length > 0) throw damaged()
  return undefined
}

async function* unbroken(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of bytes) yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  } catch (cause) {
    throw isOfReading(cause) ? cause : damaged(cause)
  }
}
