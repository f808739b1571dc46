/** Renders EJS views by fixed names, from an allow-list of locals, escaped, inside a layout where one is named. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ejs from 'ejs'
import { escapeHtml } from '../markup.ts'

/** What a view may see: view name to the names of its locals. */
export type AllowedLocals = Readonly<Record<string, readonly string[]>>

export interface ViewsOptions {
  readonly directory: string
  /** Compile once at start; otherwise files are read anew for every render. */
  readonly isCached: boolean
  readonly locals: AllowedLocals
  /** The view around all others, which is given theirs as `body`; without it a view stands for itself. */
  readonly layout?: string
}

export interface Views {
  /** Gives the whole text of a view. Throws when the view is not on the list. */
  render(view: string, locals: object): string
}

/** Makes the renderer; with `isCached` every view is compiled now, so that a broken one fails the start. */
export function createViews({ directory, isCached, locals: allowed, layout }: ViewsOptions): Views {
  const compile = (name: string) => {
    const filename = join(directory, `${name}.ejs`)
    // The library's own include asks the file system for every partial of every page.
    const source = readFileSync(filename, 'utf8').replaceAll('<%- include(', '<%- page.include(')
    // Our locals have no prototype, so the library need not copy them to be sure.
    const options = { filename, strict: true, localsName: 'page', escape: escapeHtml, unsafePrototypeLocals: true, compileDebug: !isCached }
    return ejs.compile(source, options)
  }
  const names = [...(layout ? [layout] : []), ...Object.keys(allowed)]
  const compiled = new Map(isCached ? names.map(name => [name, compile(name)]) : [])
  const viewOf = (name: string) => {
    const known = compiled.get(name)
    if (known) return known
    const view = compile(name)
    if (isCached) compiled.set(name, view)
    return view
  }
  function include(this: object, name: string, locals?: object): string {
    return viewOf(name)(locals ? Object.assign(Object.create(this), locals) : this)
  }

  return {
    render(name, locals) {
      const keys = Object.hasOwn(allowed, name) ? allowed[name] : undefined
      if (!keys) throw new Error(`There is no view ${JSON.stringify(name)}`)
      const page = Object.assign(pick(locals, keys), { include })
      const body = viewOf(name)(page)
      return layout ? viewOf(layout)(Object.assign(page, { body })) : body
    },
  }
}

type Bag = Record<string, unknown>

/** Copies only what is allowed, own and safe onto an object without a prototype. */
function pick(locals: object, keys: readonly string[]): Bag {
  const page: Bag = Object.create(null)
  for (const key of keys) {
    if (Object.hasOwn(locals, key)) page[key] = copy(key, (locals as Bag)[key])
  }
  return page
}

function copy(key: string, value: unknown): unknown {
  if (typeof value === 'string') return isAddress(key) && !isSafeAddress(key, value) ? undefined : value
  if (Array.isArray(value)) return value.map(item => copy(key, item))
  if (typeof value === 'object' && value !== null) return pick(value, Object.keys(value))
  return value
}

const isAddress = (key: string) => /url$|action$/i.test(key)

// Escaping does not stop `javascript:`; a browser drops tabs and newlines and takes `\` for `/`, so none may stand in an address.
const WEB_ADDRESS = /^(?:https?:\/\/|mailto:|\/(?!\/))[^\s\\\p{Cc}]*$/iu
const IMAGE_DATA = /^data:image\/(?:png|jpeg|gif|webp|svg\+xml);base64,[a-z0-9+/=]+$/i

function isSafeAddress(key: string, value: string): boolean {
  return WEB_ADDRESS.test(value) || (/(?:logo|icon)(?:dark)?url$/i.test(key) && IMAGE_DATA.test(value))
}
