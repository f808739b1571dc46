// Finds names in the environment that were meant to be a setting.

// Names that mean something to others: OpenSSL's, for one, of the authorities that it believes.
const ofOthers = ['SSL_CERT_FILE']

/** Names that are no setting, each with the setting that it resembles: SECRETKEY, DATABSE_URL, AUTHY2_ISSUER. */
export const misspelt = (names: readonly string[], settings: readonly string[]): { name: string; meant: string }[] =>
  names
    .filter(name => !settings.includes(name) && !ofOthers.includes(name))
    .flatMap(name => {
      const bare = plain(name.replace(/^AUTHY2_/i, ''))
      const meant = settings.find(setting => plain(setting) === bare) ?? settings.find(setting => isNear(bare, plain(setting)))
      return meant === undefined ? [] : [{ name, meant }]
    })

const plain = (name: string) => name.toUpperCase().replace(/[^A-Z0-9]/g, '')

// Short names resemble those of the system: HOST and HOME, PORT and SPORT.
const isNear = (name: string, setting: string) =>
  (setting.length >= 7 && distance(name, setting) <= (setting.length >= 10 ? 2 : 1)) || (setting.length >= 6 && letters(name) === letters(setting))

const letters = (name: string) => [...name].toSorted().join('')

/** How many letters are to be added, left out or changed, or changed with their neighbour. */
const distance = (from: string, to: string): number => {
  let [before, row]: [number[], number[]] = [[], Array.from({ length: to.length + 1 }, (_, index) => index)]
  for (const [index, letter] of [...from].entries()) {
    const next = [index + 1]
    for (const [column, other] of [...to].entries()) {
      const isSwapped = letter === to[column - 1] && other === from[index - 1]
      next.push(
        Math.min(
          (row[column + 1] ?? 0) + 1,
          (next[column] ?? 0) + 1,
          (row[column] ?? 0) + (letter === other ? 0 : 1),
          isSwapped ? (before[column - 1] ?? 0) + 1 : Number.POSITIVE_INFINITY,
        ),
      )
    }
    ;[before, row] = [row, next]
  }
  return row.at(-1) ?? 0
}
