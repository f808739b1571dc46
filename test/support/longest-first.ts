// The order of test files: the longest first, so that none of them is left to run alone at the end.

/** Compares two paths of files, for AVA's `sortTestFiles`; `longest` are parts of paths, the longest first. */
export const longestFirst = (longest: readonly string[]): ((one: string, other: string) => number) => {
  const rankOf = (file: string) => {
    const rank = longest.findIndex(name => file.includes(`/${name}.`))
    return rank < 0 ? longest.length : rank
  }
  return (one, other) => rankOf(one) - rankOf(other) || (one < other ? -1 : 1)
}
