// The shapes of the API as JSON Schema, in the words that OpenAPI 3.1 and the generators of types understand.
import { z } from 'zod'

/** A JSON object. */
export type Json = Record<string, unknown>

/** What is taken, as a schema. Throws where a part would need a name of its own. */
export const inputSchema = (schema: z.ZodType): Json => without(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', override: plain }))
/** What is given, likewise. */
export const outputSchema = (schema: z.ZodType): Json => without(z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any', override: plain }))

// A format says it better than its regular expression.
const plain = ({ jsonSchema }: { jsonSchema: { format?: string; pattern?: string } }) => {
  if (jsonSchema.format !== undefined) delete jsonSchema.pattern
}
// A name of a part holds only from the root of the document. The one value that contains itself is any JSON, which generators
// of types know better by its absence of rules.
const without = ({ $schema: _dialect, $defs = {}, ...schema }: Json): Json => {
  for (const [name, part] of Object.entries($defs as Json))
    if (JSON.stringify(part) !== JSON.stringify(jsonValue(`#/$defs/${name}`))) throw new Error(`the document cannot name ${JSON.stringify(part)}`)
  return JSON.parse(JSON.stringify(schema).replaceAll(/"#\/\$defs\/\w+"/g, '"#/components/schemas/JsonValue"'))
}
const jsonValue = ($ref: string): Json => ({
  anyOf: [
    { type: 'string' },
    { type: 'number' },
    { type: 'boolean' },
    { type: 'null' },
    { type: 'array', items: { $ref } },
    { type: 'object', propertyNames: { type: 'string' }, additionalProperties: { $ref } },
  ],
})

/** Its properties by their names; none of what is no object. */
export const propertiesOf = ({ properties }: Json): Record<string, unknown> => (typeof properties === 'object' && properties !== null ? { ...properties } : {})

/** The names of its properties; of alternatives those of all. */
export const namesIn = (schema: Json): string[] => {
  const alternatives = [schema.anyOf, schema.oneOf].flatMap(one => (Array.isArray(one) ? one : []))
  return [...Object.keys(propertiesOf(schema)), ...alternatives.flatMap(namesIn)]
}
