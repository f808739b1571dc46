// The words of tracing, and how a step of traced work tells of itself: what is not traced pays for one look at its context.
import { currentContext, runFor } from '../context.ts'

/** What may be told of a span: names, codes and places; never a person, a secret, a query string or a parameter of a statement. */
export type Attributes = Readonly<Record<string, string | number | boolean>>

/** A span that was begun. */
export interface Span {
  /** 32 hexadecimal digits. */
  readonly traceId: string
  /** W3C Trace Context §3.2. */
  readonly traceparent: string
  rename(name: string): void
  set(attributes: Attributes): void
  /** Begins a span below; `client` where it asks another system. */
  child(name: string, options?: { readonly kind?: 'client' | 'internal'; readonly attributes?: Attributes }): Span
  /** With an error it is told as failed, by the error's name alone: messages may hold what was asked. */
  end(error?: unknown): void
}

/** Where a trace begins. */
export interface Beginning {
  readonly name: string
  readonly kind: 'server' | 'consumer'
  readonly attributes?: Attributes
  /** The span of another system that this continues, as its `traceparent`; what is malformed is as if absent. */
  readonly continues?: string | undefined
  /** The span that asked for this, which is another trace's. */
  readonly askedBy?: string | undefined
}

/** Traces what happens. */
export interface Tracing {
  begin(beginning: Beginning): Span
  /** Sends what is left. */
  close(): Promise<void>
}

interface Step {
  readonly name: string
  readonly attributes?: Attributes
}

/** Runs a call of another system as a span of the trace it belongs to; outside traces it only runs. */
export const asStep = async <Result>({ name, attributes, tell }: Step & { readonly tell?: (answer: Result) => Attributes }, work: () => Promise<Result>) => {
  const context = currentContext()
  if (!context?.span) return work()
  const span = context.span.child(name, { kind: 'client', attributes })
  try {
    const answer = await runFor({ ...context, span }, work)
    if (tell) span.set(tell(answer))
    span.end()
    return answer
  } catch (error) {
    span.end(error)
    throw error
  }
}

/** Has a function that sends something, and answers a promise, tell each call as a span of the trace it belongs to. */
export const told =
  <Given extends readonly unknown[]>(send: (...given: Given) => unknown, describe: (...given: Given) => Step) =>
  (...given: Given): unknown => {
    const parent = currentContext()?.span
    // Whoever calls back is called from elsewhere, in nobody's context.
    if (!parent || typeof given.at(-1) === 'function') return send(...given)
    const { name, attributes } = describe(...given)
    const span = parent.child(name, { kind: 'client', attributes })
    const answer = send(...given)
    if (!(answer instanceof Promise)) {
      span.end()
      return answer
    }
    answer.then(
      () => span.end(),
      error => span.end(error),
    )
    return answer
  }
