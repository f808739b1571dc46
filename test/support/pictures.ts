// A small server of pictures on the loopback, such as tenants keep theirs on.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Some of what it serves. */
export const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')
export const svg = Buffer.from('<?xml version="1.0"?><!-- ours --><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><rect width="1" height="1"/></svg>')

export const dark = Buffer.concat([png, Buffer.from('dark')])

/** What is served below `/one-of/`: another picture at each address. */
export const pngOf = (path: string) => Buffer.concat([png, Buffer.from(path)])

/** Where our own origin shows a picture. */
export const pictureAt = (bytes: Buffer): string => `/assets/images/${createHash('sha256').update(bytes).digest('hex')}`

const evil = (inside: string) => Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg">${inside}</svg>`)
const served: Readonly<Record<string, Buffer>> = {
  '/logo.png': png,
  '/dark.png': dark,
  '/icon.ico': Buffer.from('00000100010010100000', 'hex'),
  '/logo.svg': svg,
  '/photo.jpg': Buffer.from('ffd8ffe000104a464946', 'hex'),
  '/moving.gif': Buffer.from('GIF89a'),
  '/modern.webp': Buffer.from('RIFF\0\0\0\0WEBPVP8 '),
  '/page.html': Buffer.from('<!doctype html><svg></svg>'),
  '/script.svg': evil('<script>alert(1)</script>'),
  '/handler.svg': evil('<rect onload = "alert(1)"/>'),
  '/foreign.svg': evil('<foreignObject/>'),
  '/comments.svg': Buffer.from(`${'<!-- -->'.repeat(50_000)}x`),
  '/large.png': Buffer.concat([png, Buffer.alloc(500 * 1024)]),
  '/largest.png': Buffer.concat([png, Buffer.alloc(500 * 1024 - png.length)]),
  '/nothing': Buffer.alloc(0),
}

/** Starts it; `asked` are the paths that were asked for, and `stop` takes single pictures away. */
export async function startPictures() {
  const asked: string[] = []
  const gone = new Set<string>()
  const server = createServer((request, response) => {
    const path = (request.url ?? '').replace(/\?.*/, '')
    asked.push(path)
    const bytes = gone.has(path) ? undefined : path.startsWith('/one-of/') ? pngOf(path) : served[path]
    if (path === '/slow.png') return
    if (path === '/elsewhere.png') response.writeHead(302, { location: '/logo.png' }).end()
    // What it says of the type is not believed.
    else if (bytes) response.writeHead(200, { 'content-type': 'text/html' }).end(bytes)
    else response.writeHead(404).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    at: (path: string) => `${origin}${path}`,
    asked,
    stop: (path: string) => gone.add(path),
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
