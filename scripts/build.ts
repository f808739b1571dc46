// npm run prepack     makes dist: what runs in production, as JavaScript, because Node strips no types below node_modules.
// Types are blanked out in their places and nothing else is changed, so lines in stack traces are those of the source.
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { commands } from './commands.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const target = join(root, 'dist')
// A quoted relative path to a source file is always a module: imported, forked or run in a worker.
const reference = /(['"])(\.{1,2}\/[^'"\n]*)\.ts\1/g

const sources = [
  ...globSync('src/**/*.ts', { cwd: root }),
  ...globSync('scripts/doctor/**/*.ts', { cwd: root }),
  ...['authy2', 'commands', 'with-services', 'with-backups', 'key-refusals', 'parsed', ...Object.values(commands)].map(name => join('scripts', `${name}.ts`)),
]

// Where types stood, whole lines of blanks would be kept in memory with the rest of a source.
const withoutTypes = (source: string) => {
  const lines = source.split('\n')
  return stripTypeScriptTypes(source)
    .split('\n')
    .map((line, at) => (/\s$/.test(lines[at] ?? '') ? line : line.trimEnd()))
    .join('\n')
}

if (!existsSync(join(root, 'src/platform/data/generated/client.ts'))) throw new Error("Prisma's client is missing: npm run db:generate")
rmSync(target, { recursive: true, force: true })
for (const path of sources) {
  const made = join(target, path.replace(/\.ts$/, '.js'))
  mkdirSync(dirname(made), { recursive: true })
  writeFileSync(made, withoutTypes(readFileSync(join(root, path), 'utf8')).replace(reference, '$1$2.js$1'))
}
for (const path of globSync('src/**/*.wasm', { cwd: root })) cpSync(join(root, path), join(target, path))
// What is asked of package.json beside src: which version this is, and that these are modules.
const { name, version, type } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
writeFileSync(join(target, 'package.json'), JSON.stringify({ name, version, type }))
for (const folder of ['views', 'prisma/migrations']) cpSync(join(root, folder), join(target, folder), { recursive: true })

const missing = sources.flatMap(path => {
  const made = join(target, path.replace(/\.ts$/, '.js'))
  const references = readFileSync(made, 'utf8').matchAll(/(?:from |import\(?|new URL\()['"](\.{1,2}\/[^'"\n]*\.js(?:on)?)['"]/g)
  return [...references].map(([, name = '']) => join(dirname(made), name)).filter(file => !existsSync(file))
})
if (missing.length > 0) throw new Error(`dist lacks ${[...new Set(missing)].join(', ')}`)
