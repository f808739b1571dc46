// The OpenAPI document as the fuzzer reads it: operations with their schemas, and which of them a request reaches.

/** A JSON Schema as it stands in the document. */
export type Schema = Readonly<Record<string, unknown>> & {
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
}

/** What a content type carries. */
export type Content = Readonly<Record<string, { readonly schema: Schema }>>

interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required: boolean
  readonly schema: Schema
}

interface Response {
  readonly $ref?: string
  readonly content?: Content
}

/** One operation. */
export interface Operation {
  readonly method: string
  /** Below the prefix, with `{name}` for each parameter. */
  readonly path: string
  readonly operationId: string
  readonly parameters: readonly Parameter[]
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, Response>>
  readonly permission?: string
  readonly isOfOrganization: boolean
}

/** The document as it is served. */
export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>>; readonly responses: Readonly<Record<string, Response>> }
}

/** All operations, in the order of the document. */
export const operationsOf = ({ paths }: Document): readonly Operation[] =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, told]) => ({
      ...(told as unknown as Operation),
      method: method.toUpperCase(),
      path,
      permission: told['x-permission'] as string | undefined,
      isOfOrganization: told['x-within'] !== undefined,
    })),
  )

/** What a status of an operation carries; `undefined` where the status is not declared. */
export const contentOf = (document: Document, { responses }: Operation, status: number): Content | undefined => {
  const told = responses[String(status)]
  if (told === undefined) return undefined
  const found = told.$ref === undefined ? told : document.components.responses[told.$ref.split('/').at(-1) ?? '']
  return found?.content ?? {}
}

/** Finds the operations at an address: those whose fixed parts fit best. */
export const createFinder = (operations: readonly Operation[]) => {
  const patterns = operations.map(operation => ({
    operation,
    pattern: new RegExp(`^${operation.path.replaceAll(/[.*+?^$()|[\]\\-]/g, '\\$&').replaceAll(/\{\w+\}/g, '[^/]+')}$`),
    parameters: operation.path.split('{').length,
  }))
  return (path: string): readonly Operation[] => {
    const found = patterns.filter(({ pattern }) => pattern.test(path))
    const fewest = Math.min(...found.map(({ parameters }) => parameters))
    // A fixed path hides one with a parameter only for the methods that it has.
    const best = found.filter(({ parameters }) => parameters === fewest).map(({ operation }) => operation)
    const others = found.map(({ operation }) => operation).filter(({ method }) => !best.some(one => one.method === method))
    return [...best, ...others]
  }
}
