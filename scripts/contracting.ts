// What in a migration breaks a process of the version before, which serves on while the new one starts, or holds it up: the rules of prisma/README.md.

const taking: readonly (readonly [RegExp, string])[] = [
  [/\bDROP\s+COLUMN\b/i, 'takes a column away'],
  [/\bRENAME\b/i, 'renames'],
  [/\bALTER\s+(COLUMN\s+)?"?\w+"?\s+SET\s+NOT\s+NULL\b/i, 'demands a value that the old version does not write'],
  [/\bALTER\s+(COLUMN\s+)?"?\w+"?\s+(SET\s+DATA\s+)?TYPE\b/i, 'changes a type'],
  [/\bALTER\s+(COLUMN\s+)?"?\w+"?\s+DROP\s+DEFAULT\b/i, 'takes a default away'],
]

// Those that grow with what people do: an index on one of them takes long to build, and nobody writes to the table meanwhile.
const large = new Set(['oidc_artifacts', 'audit_events', 'sessions', 'users', 'webhook_deliveries'])

/** Tells each statement that contracts, in a sentence; nothing where the file's first line says `-- contract: ` and why the old version bears it. */
export function contracting(sql: string): string[] {
  if (/^-- contract: \S/.test(sql)) return []
  const statements = statementsOf(sql)
  const made = madeBy(statements)
  return statements.flatMap(statement => {
    const table = /^ALTER TABLE (?:IF EXISTS )?(?:ONLY )?"?(\w+)"?/i.exec(statement)?.[1] ?? uniquelyIndexed(statement)
    if (table !== undefined) return made.has(table) ? [] : [...faultsOf(statement), ...tightening(statement, statements)].map(fault => `${fault}: ${statement}`)
    return isTaking(statement, statements) ? [`takes away what the old version uses: ${statement}`] : []
  })
}

const uniquelyIndexed = (statement: string): string | undefined => /^CREATE UNIQUE INDEX .*?\bON (?:ONLY )?"?(\w+)"?/i.exec(statement)?.[1]

// An index may be what an ON CONFLICT of the old version needs; one that is made anew under its name serves on.
function isTaking(statement: string, statements: readonly string[]): boolean {
  const index = /^DROP INDEX (?:IF EXISTS )?"?(\w+)"?/i.exec(statement)?.[1]
  if (index !== undefined) return !statements.some(other => new RegExp(`^CREATE (UNIQUE )?INDEX (IF NOT EXISTS )?"?${index}"? `, 'i').test(other))
  return /^(DROP (TABLE|TYPE|VIEW|FUNCTION)|ALTER TYPE .* RENAME)\b/i.test(statement)
}

/** What the old version writes is refused by a rule that it does not know; but not by one that is wider than before, or is about a column that it does not know either. */
function tightening(statement: string, statements: readonly string[]): string[] {
  const rule =
    /\bADD CONSTRAINT "?(\w+)"? (?:UNIQUE|CHECK|FOREIGN KEY|PRIMARY KEY|EXCLUDE)\b/i.exec(statement)?.[1] ??
    /^CREATE UNIQUE INDEX (?:IF NOT EXISTS )?"?(\w+)"?/i.exec(statement)?.[1]
  if (rule === undefined) return []
  const isAnew = statements.some(other => new RegExp(`\\bDROP (CONSTRAINT|INDEX) (IF EXISTS )?"?${rule}"?(?!\\w)`, 'i').test(other))
  const added = statements.flatMap(other => [...other.matchAll(/\bADD COLUMN (?:IF NOT EXISTS )?"?(\w+)"?/gi)].map(([, column = '']) => column))
  const isOfNew = added.some(column => new RegExp(`\\b${column}\\b`).test(statement))
  return isAnew || isOfNew ? [] : ['holds what the old version writes to a rule that it does not know']
}

/** Tells each index on a large table that is not alone in its file: what else is locked there stays so until the index is built. */
export function crowded(sql: string): string[] {
  const statements = statementsOf(sql)
  const made = madeBy(statements)
  if (statements.length === 1) return []
  return statements.flatMap(statement => {
    const table = /^CREATE (?:UNIQUE )?INDEX .*?\bON (?:ONLY )?"?(\w+)"?/i.exec(statement)?.[1]
    return table !== undefined && large.has(table) && !made.has(table) ? [`needs a file of its own: ${statement}`] : []
  })
}

function statementsOf(sql: string): string[] {
  return sql
    .replace(/--.*$/gm, '')
    .replace(/\$(\w*)\$[\s\S]*?\$\1\$/g, "''")
    .replace(/'(?:[^']|'')*'/g, "''")
    .split(';')
    .map(statement => statement.trim().replace(/\s+/g, ' '))
    .filter(statement => statement !== '')
}

/** The tables that a file makes: they are empty. */
function madeBy(statements: readonly string[]): ReadonlySet<string> {
  return new Set(statements.flatMap(statement => /^CREATE TABLE (?:IF NOT EXISTS )?"?(\w+)"?/i.exec(statement)?.[1] ?? []))
}

function faultsOf(statement: string): string[] {
  const faults = taking.flatMap(([pattern, fault]) => (pattern.test(statement) ? [fault] : []))
  const added = statement
    .split(/\bADD COLUMN\b/i)
    .slice(1)
    .map(rest => rest.replace(/,\s*(ALTER|DROP)\b.*$/i, ''))
  const isDemanding = added.some(column => /\bNOT NULL\b/i.test(column) && !/\b(DEFAULT|GENERATED|(BIG|SMALL)?SERIAL)\b/i.test(column))
  return isDemanding ? [...faults, 'demands a value that the old version does not write'] : faults
}
