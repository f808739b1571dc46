// The fields that authorization details may have: a small part of JSON Schema, closed unless it says otherwise nowhere.
//
// Ours rather than a library's: the whole language has references, patterns and code made from text, and these schemas are written by
// whoever administers an organization and judge what any client sends.
import { z } from 'zod'
import { isOneLine } from '../platform/http/text.ts'

/** A schema of one value. Objects have no members but their properties. */
export interface DetailsSchema {
  readonly type: 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean'
  /** What people read of it. */
  readonly title?: string | undefined
  readonly enum?: readonly (string | number)[] | undefined
  readonly minLength?: number | undefined
  readonly maxLength?: number | undefined
  readonly minimum?: number | undefined
  readonly maximum?: number | undefined
  readonly minItems?: number | undefined
  readonly maxItems?: number | undefined
  readonly items?: DetailsSchema | undefined
  readonly properties?: Readonly<Record<string, DetailsSchema>> | undefined
  readonly required?: readonly string[] | undefined
}

const maxDepth = 5
const maxProperties = 50
const longest = 1000
const title = z.string().min(1).max(200).refine(isOneLine, 'must be one line').optional()
const length = z.int().min(0).max(longest).optional()
const bound = z.number().optional()
const name = z
  .string()
  .regex(/^[A-Za-z_][\w.-]{0,99}$/)
  .refine(one => !(one in Object.prototype) && one !== 'type', 'is not a name that a field can have')
// A shared shape would let a string have items: each kind has its own words.
const kinds = (depth: number) =>
  [
    z.strictObject({ type: z.literal('boolean'), title }),
    z.strictObject({
      type: z.literal('string'),
      title,
      minLength: length,
      maxLength: length,
      enum: z.array(z.string().max(longest)).min(1).max(100).optional(),
    }),
    z.strictObject({ type: z.enum(['number', 'integer']), title, minimum: bound, maximum: bound, enum: z.array(z.number()).min(1).max(100).optional() }),
    ...(depth === 0 ? [] : nested(depth - 1)),
  ] as const

const nested = (depth: number) => {
  const inner: z.ZodType<DetailsSchema> = schemaOf(depth)
  return [z.strictObject({ type: z.literal('array'), title, items: inner, minItems: length, maxItems: length }), objectOf(inner)] as const
}

const objectOf = (inner: z.ZodType<DetailsSchema>) =>
  z
    .strictObject({
      type: z.literal('object'),
      title,
      properties: z.record(name, inner).refine(one => Object.keys(one).length <= maxProperties, 'has too many fields'),
      required: z.array(z.string()).max(maxProperties).optional(),
    })
    .refine(({ properties, required = [] }) => required.every(one => Object.hasOwn(properties, one)), {
      path: ['required'],
      error: 'names a field that is not there',
    })

const schemaOf = (depth: number): z.ZodType<DetailsSchema> => z.union(kinds(depth)) as z.ZodType<DetailsSchema>

/** Parses a schema of authorization details: an object, at most five levels deep. */
export const detailsSchema: z.ZodType<DetailsSchema> = objectOf(schemaOf(maxDepth - 1))

/** What is wrong with a value, as a path and a sentence; `undefined` where nothing is. */
export const detailsFault = (schema: DetailsSchema, value: unknown, path = ''): string | undefined => {
  const fault = (what: string) => `${path || 'it'} ${what}`
  if (schema.type === 'object') return objectFault(schema, value, path)
  if (schema.type === 'array') {
    if (!Array.isArray(value)) return fault('must be an array')
    if (value.length < (schema.minItems ?? 0) || value.length > (schema.maxItems ?? 100)) return fault('has too few or too many members')
    return firstOf(value.map((one, at) => schema.items && detailsFault(schema.items, one, `${path}[${at}]`)))
  }
  if (schema.type === 'boolean') return typeof value === 'boolean' ? undefined : fault('must be true or false')
  if (schema.enum && !schema.enum.some(one => one === value)) return fault('must be one of the values that are offered')
  if (schema.type === 'string') return typeof value === 'string' ? textFault(schema, value, fault) : fault('must be a string')
  if (typeof value !== 'number' || (schema.type === 'integer' && !Number.isSafeInteger(value)))
    return fault(`must be ${schema.type === 'integer' ? 'an' : 'a'} ${schema.type}`)
  return value < (schema.minimum ?? -Infinity) || value > (schema.maximum ?? Infinity) ? fault('is too small or too large') : undefined
}

const objectFault = ({ properties = {}, required = [] }: DetailsSchema, value: unknown, path: string): string | undefined => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return `${path || 'it'} must be an object`
  const at = (field: string) => (path === '' ? field : `${path}.${field}`)
  const missing = required.find(field => !Object.hasOwn(value, field))
  if (missing !== undefined) return `${at(missing)} is missing`
  return firstOf(
    Object.entries(value).map(([field, one]) => {
      const inner = Object.hasOwn(properties, field) ? properties[field] : undefined
      return inner ? detailsFault(inner, one, at(field)) : 'has a field that its type does not know'
    }),
  )
}

const textFault = ({ minLength = 0, maxLength = longest }: DetailsSchema, value: string, fault: (what: string) => string) => {
  if (value.length < minLength || value.length > maxLength) return fault('is too short or too long')
  // It is shown to the person who decides: what hides or turns text around it would deceive them.
  return isOneLine(value) && value.isWellFormed() ? undefined : fault('must be one line that shows what it says')
}

const firstOf = (faults: readonly (string | undefined)[]) => faults.find(one => one !== undefined)
