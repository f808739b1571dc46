// Keeps so many server processes running: starts again what ended, replaces one after the other, ends all.
import { setTimeout as sleep } from 'node:timers/promises'
import { StartError } from './platform/data/start-error.ts'
import type { Log } from './platform/log.ts'

/** How a process ended; with an error where it never began. */
export interface Ending {
  readonly code: number | null
  readonly signal: string | null
  readonly error?: Error
}

/** A process that was started. */
export interface Supervised {
  /** `undefined` where it could not be spawned. */
  readonly pid: number | undefined
  /** For how long it goes on serving when it is asked to stop. */
  readonly graceSeconds: number
  /** It serves; never, where it ends before. */
  readonly listening: Promise<void>
  readonly ended: Promise<Ending>
  signal(name: 'SIGTERM' | 'SIGKILL'): void
}

/** Keeps them. */
export interface Supervisor {
  /** Starts the first, and when it serves, the others: what is done once is done then. Throws where the first ends instead. */
  start(): Promise<void>
  /**
   * Replaces each by a new one, which serves before the old one is asked to stop. Throws where a new one ends instead; the old ones then go on.
   * Asked again meanwhile, it resolves at once, and the one under way goes on until nobody is left who began before that either.
   */
  restart(): Promise<void>
  /** Asks all to stop, and waits until they have. Throws where one had to be ended. */
  stop(): Promise<void>
  /** Resolves after {@link Supervisor.stop}; rejects when processes end at once again and again and none is left. */
  readonly ended: Promise<void>
}

interface Needs {
  readonly size: number
  readonly fork: () => Supervised
  readonly log: Log
  readonly wait?: (milliseconds: number) => Promise<unknown>
}

const briefMilliseconds = 5000
const maxDelayMilliseconds = 30_000
const maxTries = 5
// What a process takes to stop at most: ten seconds to drain (shutdown.ts), eight to close what it has open (server.ts), and some more.
const patienceMilliseconds = 20_000

/** Makes it; nothing runs yet. */
export const createSupervisor = ({ size, fork, log, wait = sleep }: Needs): Supervisor => {
  // With how many restarts had been asked for when each began: it knows the settings of then.
  const alive = new Map<Supervised, number>()
  const serving = new Set<Supervised>()
  const { promise: ended, resolve: end, reject: giveUp } = Promise.withResolvers<void>()
  let isStopping = false
  let isRestarting = false
  let restarts = 0
  // It may be given up before anybody waits for the end.
  ended.catch(() => undefined)

  const begin = async () => {
    const child = fork()
    alive.set(child, restarts)
    void child.ended.then(() => alive.delete(child))
    const early = await Promise.race([child.listening, child.ended])
    if (early) throw new StartError('process_ended', sayEarly(child, early))
    return child
  }

  const keep = (child: Supervised, briefLives: number) => {
    serving.add(child)
    log.info({ pid: child.pid }, 'A server process serves.')
    // It was on its way when the restart was asked for, and nobody saw it yet.
    if (isOld(child)) replaceOld().catch(error => log.error({ err: error }, 'A process that began before the restart goes on as it is.'))
    const since = performance.now()
    void child.ended.then(async ({ code, signal }) => {
      // Whoever was asked to leave is no longer among those who serve.
      if (!serving.delete(child) || isStopping) return
      log.error({ pid: child.pid, exitCode: code, signal }, 'A server process ended and is started again.')
      await add(performance.now() - since < briefMilliseconds ? briefLives + 1 : 0)
    })
  }

  // A process that lives for a moment only is not started faster and faster; while others serve, it is tried for ever.
  const add = async (briefLives = 0) => {
    for (let tries = briefLives; !isStopping; tries += 1) {
      if (tries > 0) await wait(Math.min(500 * 2 ** tries, maxDelayMilliseconds))
      if (isStopping) return
      try {
        return keep(await begin(), tries)
      } catch (error) {
        log.error({ err: error }, 'A server process could not be started.')
        if (serving.size === 0 && tries + 1 >= maxTries)
          return giveUp(new StartError('process_ended', `Server processes ended at once ${tries + 1} times, and none is left. What they wrote above says why.`))
      }
    }
  }

  const dismiss = async (child: Supervised): Promise<boolean> => {
    serving.delete(child)
    child.signal('SIGTERM')
    const timer = setTimeout(() => child.signal('SIGKILL'), patienceMilliseconds + child.graceSeconds * 1000)
    const { code, signal } = await child.ended
    clearTimeout(timer)
    return code === 0 || signal === 'SIGTERM'
  }

  // Each by one that begins now, until nobody is left who began before the last restart that was asked for.
  const replaceOld = async () => {
    if (isRestarting) return
    isRestarting = true
    try {
      for (let old = findOld(); old && !isStopping; old = findOld()) await replace(old)
      if (isStopping) return
      const areMoreToCome = [...alive.keys()].some(isOld)
      log.info({ processes: serving.size }, areMoreToCome ? 'The server processes that serve were replaced.' : 'All server processes were replaced.')
    } finally {
      isRestarting = false
    }
  }
  const isOld = (child: Supervised) => (alive.get(child) ?? restarts) < restarts
  const findOld = () => [...serving].find(isOld)
  const replace = async (old: Supervised) => {
    const asOf = restarts
    try {
      const fresh = await begin()
      keep(fresh, 0)
      // One that ended by itself meanwhile has its successor already.
      await dismiss(serving.has(old) ? old : fresh)
    } catch (error) {
      if (asOf === restarts) throw error
      log.error({ err: error }, 'The restart was broken off, and is begun again: it was asked for meanwhile.')
    }
  }

  return {
    ended,
    start: async () => {
      try {
        keep(await begin(), 0)
      } catch (error) {
        if (isStopping) return
        throw error
      }
      await Promise.all(Array.from({ length: size - 1 }, () => add()))
      log.info({ processes: serving.size }, 'All server processes are ready.')
    },
    restart: async () => {
      if (isStopping) return
      restarts += 1
      if (isRestarting) log.info({}, 'A restart is under way: processes that began before this one was asked for are replaced once more.')
      await replaceOld()
    },
    stop: async () => {
      if (isStopping) return
      isStopping = true
      const areWell = await Promise.all([...alive.keys()].map(dismiss))
      if (!areWell.every(Boolean)) throw new StartError('process_ended', 'A server process did not stop by itself.')
      end()
    },
  }
}

const sayEarly = ({ pid }: Supervised, { code, signal, error }: Ending): string =>
  error
    ? `A server process could not be started: ${error.message}.`
    : `The server process ${pid} ended before it served (${signal ?? `exit code ${code}`}). What it wrote above says why.`
