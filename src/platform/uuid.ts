// Ids that sort by time, for rows that are written past Prisma, which makes its own.

/** Makes UUIDs of version 7 (RFC 9562 §5.7). */
export const createNewUuid =
  ({ now, randomBytes }: { now: () => Date; randomBytes: (size: number) => Buffer }) =>
  (): string => {
    const bytes = randomBytes(16)
    bytes.writeUIntBE(now().getTime(), 0, 6)
    bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6)
    bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
    return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  }
