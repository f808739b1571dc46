// Counts what the audit log is told, where it is told: every event, and of sign-ins by which way and with what result.
import type { CommittedEvent } from './platform/data/change.ts'
import type { Metrics } from './platform/metrics/metrics.ts'

const word = /^[a-z0-9_-]{1,40}$/

/** Makes what counts an event that was committed. */
export const createEventCounts = (metrics: Metrics): ((event: CommittedEvent) => void) => {
  const events = metrics.counter({ name: 'authy2_audit_events_total', help: 'Events that were written to the audit log.', labels: ['action', 'outcome'] })
  const signIns = metrics.counter({
    name: 'authy2_sign_ins_total',
    help: 'Tries to sign in or to prove oneself again: succeeded, or why not.',
    labels: ['method', 'result'],
  })
  return ({ action, outcome, target }) => {
    events({ action, outcome })
    const [name, result] = action.split('.')
    if (name !== 'sign_in' && name !== 'reauthentication') return
    if (result === 'succeeded') signIns({ method: wordOf(target, 'method'), result })
    else if (result === 'refused') signIns({ method: wordOf(target, 'method'), result: wordOf(target, 'reason') })
  }
}

const wordOf = (target: unknown, name: string): string => {
  const value: unknown = typeof target === 'object' && target !== null ? Reflect.get(target, name) : undefined
  return typeof value === 'string' && word.test(value) ? value : 'other'
}
