// Delivers: takes webhooks that events wait for, a bounded number at once, and sends the events of each one after another.
//
// Those whose receiver is slow have places of their own, so that however many hang, the others are served.
import type { Log } from '../platform/log.ts'
import type { Secrets } from '../platform/secrets.ts'
import type { GiveUp } from './disabling.ts'
import { type Head, type Held, type Line, slowMilliseconds } from './line.ts'
import { secondsUntilRetry } from './retries.ts'
import type { Attempt, Send } from './send.ts'
import { unsealSecrets } from './signature.ts'

/** An event of the audit log as the API tells it. */
export interface ToldEvent {
  readonly action: string
  readonly occurred_at: string
}

interface Needs {
  readonly line: Line
  readonly send: Send
  readonly giveUp: GiveUp
  /** Reads an event; `undefined` where there is none of that id. */
  readonly tellEvent: (id: string) => Promise<ToldEvent | undefined>
  readonly secrets: Secrets
  readonly log: Log
  /** How many webhooks are delivered to at once, and how many slow ones beside them. */
  readonly places?: { readonly quick: number; readonly slow: number }
}

/** Starts delivering. Answers what stops it: what is under way has five seconds more. */
export type StartDelivering = () => () => Promise<void>

const lookMilliseconds = 1000
const farewellMilliseconds = 5000
// Then others that wait have their turn.
const eventsInTurn = 50
const faultSeconds = 15

/** Makes it. */
export const createDeliverer = (needs: Needs): StartDelivering => {
  const { places = { quick: 24, slow: 8 } } = needs
  return () => {
    const stopping = new AbortController()
    const { turn, cutShort } = createTurns(needs, stopping.signal)
    const lanes = [false, true].map(isSlow => startLane({ ...needs, isSlow, places: isSlow ? places.slow : places.quick, turn, stopping: stopping.signal }))
    return async () => {
      stopping.abort()
      const timer = setTimeout(cutShort, farewellMilliseconds)
      await Promise.all(lanes.map(idle => idle()))
      clearTimeout(timer)
    }
  }
}

interface Lane {
  readonly line: Line
  readonly log: Log
  readonly isSlow: boolean
  readonly places: number
  readonly turn: (held: Held) => Promise<void>
  readonly stopping: AbortSignal
}

// Answers what waits until nothing is under way, once it was told to stop.
const startLane = ({ line, log, isSlow, places, turn, stopping }: Lane): (() => Promise<void>) => {
  const running = new Set<Promise<void>>()
  let looking: Promise<void> | undefined
  const start = (held: Held) => {
    const one = turn(held)
      .catch(error => log.warn({ err: error, webhook: held.id }, 'delivering to a webhook failed and will be tried again'))
      .finally(() => {
        running.delete(one)
        look()
      })
    running.add(one)
  }
  const claim = async () => {
    for (const held of await line.claim(places - running.size, isSlow)) start(held)
  }
  const look = () => {
    if (looking || stopping.aborted || running.size >= places) return
    looking = claim()
      .catch(error => log.warn({ err: error }, 'looking for webhooks failed and will be tried again'))
      .finally(() => {
        looking = undefined
      })
  }
  const timer = setInterval(look, lookMilliseconds)
  look()
  return async () => {
    clearInterval(timer)
    await looking
    await Promise.all(running)
  }
}

const createTurns = (needs: Needs, stopping: AbortSignal) => {
  const { line, send, giveUp } = needs
  const underWay = new Map<string, AbortController>()
  const settle = async (held: Held, { eventId, failures }: Head, attempt: Attempt) => {
    if (attempt.isDelivered) return line.finish(held, eventId, attempt)
    const seconds = attempt.isGone ? undefined : secondsUntilRetry(failures + 1, attempt.retryAfterSeconds)
    return seconds === undefined ? giveUp(held, eventId, attempt) : line.postpone(held, eventId, { ...attempt, seconds })
  }
  const sendAll = async (held: Held, stopped: AbortSignal) => {
    for (let count = 0; count < eventsInTurn && !stopping.aborted; count += 1) {
      const head = await line.next(held)
      if (!head) return
      const attempt = await send({ ...(await outgoingOf(held, head, needs)), url: head.url, id: head.eventId }, stopped)
      await settle(held, head, attempt)
      if (!attempt.isDelivered || attempt.durationMilliseconds > slowMilliseconds) return
    }
  }
  const turn = async (held: Held) => {
    const own = new AbortController()
    // Whoever holds it anew has its place: the turn before is no longer asked what came of it.
    underWay.get(held.id)?.abort()
    underWay.set(held.id, own)
    let isOurFault = false
    try {
      await sendAll(held, own.signal)
    } catch (error) {
      isOurFault = !own.signal.aborted
      if (isOurFault) throw error
    } finally {
      if (underWay.get(held.id) === own) underWay.delete(held.id)
      // What is ours to mend is not counted against the receiver.
      await line.release(held, isOurFault ? faultSeconds : 0)
    }
  }
  const cutShort = () => {
    for (const one of underWay.values()) one.abort()
  }
  return { turn, cutShort }
}

const outgoingOf = async ({ id }: Held, { eventId, sealed }: Head, { tellEvent, secrets }: Needs) => {
  const event = await tellEvent(eventId)
  // Events are never deleted: whoever did so anyway is told of by the audit log's own verification.
  if (!event) throw new Error(`the event ${eventId} is not there`)
  return {
    secrets: unsealSecrets(secrets, { id, sealed }),
    body: JSON.stringify({ type: event.action, timestamp: event.occurred_at, data: event }),
  }
}
