// Tells a Problem in the language of the page it is shown on.

import type { Catalogue } from '../platform/catalogue.ts'
import type { FieldFault, Problem } from '../platform/errors.ts'

/** What a page needs of a Problem. */
export type ToldProblem = Pick<Problem, 'code' | 'message' | 'fields' | 'retryAfterSeconds' | 'values'>

/** The summary, and a sentence for each field that is wrong. */
export interface ProblemWords {
  readonly error?: string
  readonly fieldErrors: Readonly<Record<string, string>>
}

/** The words of what is wrong with a form; without a Problem there are none. */
export const problemWords = (language: Catalogue, problem: ToldProblem | undefined): ProblemWords => {
  if (!problem) return { fieldErrors: {} }
  const { fields } = problem
  if (!fields) return { error: sentenceOf(language, problem), fieldErrors: {} }
  // Of several faults of a field the first is what to mend: nothing was typed, rather than what nothing lacks.
  return { error: language.t('alert.check'), fieldErrors: Object.fromEntries(fields.toReversed().map(fault => [fault.path, faultOf(language, fault)])) }
}

// What no page was meant to show is told in English rather than not at all.
const sentenceOf = ({ find }: Catalogue, { code, message, retryAfterSeconds = 60, values }: ToldProblem) =>
  find(`problem.${code}`, { minutes: Math.ceil(retryAfterSeconds / 60), ...values }) ?? message

const faultOf = ({ find }: Catalogue, { path, code, values, message }: FieldFault) =>
  code === undefined ? message : (find(`fault.${path}.${code}`, values) ?? find(`fault.${code}`, values) ?? message)
