// UUIDs: what is one, and ids for rows that are written past Prisma, of version 7 (RFC 9562 §5.7) that grow within a process, so that their order is that of the rows.

const pattern = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i

/** Whether a text is a UUID of any version, in letters of any size. */
export const isUuid = (text: string): boolean => pattern.test(text)

const counterBits = 12

/** Makes a maker of ids; within a millisecond a counter grows (RFC 9562 §6.2, method 1), beyond it the next millisecond is taken. */
export const createUuids = (randomBytes: (size: number) => Buffer): ((at: Date) => string) => {
  let time = 0
  let counter = 0
  return at => {
    counter += 1
    if (at.getTime() > time || counter >> counterBits > 0) {
      time = Math.max(at.getTime(), time + 1)
      counter = 0
    }
    const bytes = Buffer.alloc(16)
    bytes.writeUIntBE(time, 0, 6)
    bytes.writeUInt16BE(0x7000 | counter, 6)
    randomBytes(8).copy(bytes, 8)
    bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8)
    const hex = bytes.toString('hex')
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
  }
}
