// Whether what looks like a key of age is one: Bech32 with its checksum (BIP 173). The library itself takes 24 MB of every process that loads it.

const letters = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const generator = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]
const checksumLength = 6
const prefixes = new Set(['age', 'age1pq', 'age1tag', 'age1tagpq', 'AGE-SECRET-KEY-', 'AGE-SECRET-KEY-PQ-'])

/** What is wrong with a key that begins as those of age do; `undefined` for one that is right, and for any other text. */
export const ageKeyFault = (key: string): string | undefined => {
  if (!/^(age1|AGE-SECRET-KEY-)/.test(key)) return undefined
  // The last 1 parts them: the letters of what follows have none.
  const end = key.lastIndexOf('1')
  const [prefix, text] = [key.slice(0, end), key.slice(end + 1)]
  const isOneCase = text === (prefix.startsWith('A') ? text.toUpperCase() : text.toLowerCase())
  const values = [...text.toLowerCase()].map(letter => letters.indexOf(letter))
  const isKey = prefixes.has(prefix) && isOneCase && values.length > checksumLength && !values.includes(-1) && isIntact(prefix.toLowerCase(), values)
  return isKey ? undefined : 'begins like a key of age and is none: it is mistyped or cut short'
}

const isIntact = (prefix: string, values: readonly number[]): boolean => {
  const codes = [...prefix].map(letter => letter.charCodeAt(0))
  let sum = 1
  for (const value of [...codes.map(code => code >> 5), 0, ...codes.map(code => code & 31), ...values]) {
    const top = sum >> 25
    sum = ((sum & 0x1ffffff) << 5) ^ value
    for (const [bit, part] of generator.entries()) if ((top >> bit) & 1) sum ^= part
  }
  return sum === 1
}
