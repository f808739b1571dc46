// Versions of things as HTTP names them (RFC 9110 §8.8.3): read once, updated only if unchanged.
import { hash } from 'node:crypto'
import type { Context } from 'koa'
import { Problem } from '../errors.ts'
import type { IfMatch, Version } from './route.ts'

/** The entity tag of a version, or of a whole answer as JSON. */
export const etagOf = (version: Version): string => {
  const text = version instanceof Date ? version.toISOString() : String(version)
  return `"${hash('sha256', text, 'base64url').slice(0, 22)}"`
}

/** Whether `If-None-Match` says that the caller has it. */
export const isKnown = (ctx: Context, etag: string): boolean => names(ctx.get('If-None-Match'), etag)

/** The comparison with `If-Match`. */
export const ifMatchOf =
  (ctx: Context): IfMatch =>
  version =>
    mustBeNamed(ctx, etagOf(version))

/** Throws `precondition_failed` where `If-Match` names other versions than what is read (RFC 9110 §13.1.1). */
export const mustBeNamed = (ctx: Context, etag: string): void => {
  const wanted = ctx.req.headers['if-match']
  if (wanted !== undefined && !isNamed(wanted, etag)) throw new Problem('precondition_failed')
}

/** Throws `unsupported_precondition` where `If-Match` names versions that nothing will be compared with (RFC 9110 §13.1.1: it is not ignored). */
export const mustNameNoVersion = (ctx: Context): void => {
  const wanted = ctx.req.headers['if-match']
  if (wanted !== undefined && !tagsOf(wanted).includes('*')) throw new Problem('unsupported_precondition')
}

// RFC 9110 §13.1.2 compares weakly; §13.1.1 strongly, where a weak tag is like none.
const names = (header: string, etag: string) => tagsOf(header).some(tag => tag === '*' || tag === etag || tag === `W/${etag}`)
const isNamed = (header: string, etag: string) => tagsOf(header).some(tag => tag === '*' || tag === etag)

const tagsOf = (header: string) => header.split(',').map(tag => tag.trim())
