// Measures the server against the bare engine in memory: `npm run bench` (`-- --help` says how to ask for less).
import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { asStarted } from './bench/as-started.ts'
import { measureHash } from './bench/hash.ts'
import { measureIdle } from './bench/idle.ts'
import { type Cell, measureRow, type Plan } from './bench/measure.ts'
import { type Options, readOptions, UsageError } from './bench/options.ts'
import { openPeer } from './bench/peer.ts'
import { hashTable, idleTable, rowTable, type StartTime, sizeLine, startTable, steadinessTable } from './bench/report.ts'
import type { Row } from './bench/rows.ts'
import type { Scratch } from './bench/scratch.ts'
import { measureSteadiness, type Steadiness } from './bench/steadiness.ts'
import { type Subject, type SubjectDefinition, startSubject } from './bench/subject.ts'
import { bareKoa, defineEngine, defineServers, embeddedName, largeName } from './bench/subjects.ts'
import { connectionCount, createTarget, type Target } from './bench/target.ts'
import { putBetween } from './marked.ts'

interface Started {
  readonly definition: SubjectDefinition
  readonly subject: Subject
  readonly target: Target
}

/** What must be undone at the end, last made first. */
const leftovers: (() => Promise<void>)[] = []
let isInterrupted = false

/** What was told so far. */
const told: string[] = []
const tell = (text: string): void => {
  told.push(text)
  console.log(text)
}

class Interrupted extends Error {}

async function run(options: Options): Promise<void> {
  const surroundings = { databaseUrl: process.env.BENCH_DATABASE_URL ?? process.env.DATABASE_URL, redisUrl: process.env.REDIS_URL }
  const started: Started[] = []
  const peer = await openPeer(process.env)
  for (const definition of await defineServers(options.subjects, surroundings, keep)) started.push(await start(definition))
  started.push(await start(bareKoa))
  started.push(await start(defineEngine(await idTokenAlgorithm(started[0]?.target))))

  tell(
    `${connectionCount} connections, ${cpus().length} processors (${cpus()[0]?.model}), Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}.`,
  )
  const targets = started.map(({ target }) => target)
  // Before Koa and the engine, which are the last.
  await measureRows(options, [...targets.slice(0, -2), ...(peer ? [peer] : []), ...targets.slice(-2)])
  if (options.isSteadinessMeasured) {
    const issuing = targets.filter(({ name }) => name !== bareKoa.name)
    tell(steadinessTable(await measureDelays(issuing, options)))
  }
  if (options.isStartMeasured) tell(startTable(await measureStarts(started, options.isQuick ? 1 : 3)))
  if (options.isIdleMeasured) {
    // Of those that production allows, on a database without the demo data, which it refuses.
    const definitions = await defineServers(
      options.subjects.filter(name => name === 'redis'),
      surroundings,
      keep,
    )
    tell(idleTable(await measureIdle(definitions, options.isQuick ? 1 : 3, atEnd)))
  }
  if (options.isWritten) putBetween('bench', 'performance.md', told.join('\n'))
}

async function measureRows(options: Options, targets: readonly Target[]): Promise<void> {
  const weights = options.rows.reduce((total, { weight = 1 }) => total + weight, 0)
  for (const row of options.rows) {
    const cells = await measureRow(
      row,
      targets
        .filter(target => (target.isPeer ? isAskedOfPeer(row, target) : !row.isFilled || target.name !== embeddedName))
        .map(target => ({ target, prepare: target.name === bareKoa.name ? row.floor : row.prepare })),
      planFor(options, row.weight ?? 1, weights * targets.length),
    )
    tell(rowTable(row, cells) + sizeLine(cells, largeName))
    if (row.name === 'password') tell(hashTable(cells, { plain: measureHash({}), asStarted: measureHash(asStarted) }))
    if (cells.some(isFailed)) process.exitCode = 1
  }
}

const isAskedOfPeer = ({ forPeers }: Row, { people }: Target): boolean => forPeers === 'client' || (forPeers === 'people' && people.length > 0)

/**
 * Shares the time out: 160 s of load in all or a little more, 20 s when quick, besides that before a row's first round: V8
 * compiles by how often a function was called, so each server is to have answered as often, whatever a request takes.
 */
function planFor({ isQuick }: Options, weight: number, shares: number): Plan {
  const rounds = isQuick ? 1 : 3
  const seconds = (isQuick ? 20 : 160) / (shares * rounds)
  const warmUp = isQuick ? hardly : { done: 20_000, leastSeconds: 4, mostSeconds: 30 }
  return { rounds, seconds: weight * Math.min(Math.max(seconds, 0.5), 3), warmUp, peerWarmUp: isQuick ? hardly : forJava }
}

const hardly = { done: 0, leastSeconds: 0.2, mostSeconds: 0.2 }
// Levels off after half a minute.
const forJava = { done: 0, leastSeconds: 40, mostSeconds: 40 }

async function measureDelays(targets: readonly Target[], { isQuick }: Options): Promise<readonly Steadiness[]> {
  const hashesPerCore = measureHash(asStarted)
  const measured: Steadiness[] = []
  for (const target of targets) measured.push(await measureSteadiness(target, { seconds: isQuick ? 1 : 4, hashesPerCore }))
  if (measured.some(({ failed }) => failed > 0)) process.exitCode = 1
  return measured
}

const isFailed = ({ failure, rounds }: Cell): boolean => failure !== undefined || rounds.some(({ load }) => load.done === 0)

async function start(definition: SubjectDefinition): Promise<Started> {
  const subject = await startSubject(definition, atEnd)
  await definition.fill?.()
  return { definition, subject, target: await createTarget(subject) }
}

/** Stops every server and starts it again on what it left, some times. */
async function measureStarts(started: readonly Started[], times: number): Promise<readonly StartTime[]> {
  const measured: StartTime[] = []
  for (const { definition, subject, target } of started) {
    await target.close()
    await subject.stop()
    const againSeconds: number[] = []
    for (let time = 0; time < times; time += 1) {
      const again = await startSubject(definition, atEnd)
      againSeconds.push(again.startSeconds)
      await again.stop()
    }
    measured.push({ target: definition.name, firstSeconds: subject.startSeconds, againSeconds })
  }
  return measured
}

/** What the first server signs ID tokens with, so that the engine does the same work. */
async function idTokenAlgorithm(target: Target | undefined): Promise<string> {
  const fallback = 'RS256'
  const idToken = (await target?.signedIn().catch(() => undefined))?.[0]?.tokens.id_token
  if (idToken === undefined) return fallback
  const header: unknown = JSON.parse(Buffer.from(idToken.split('.')[0] ?? '', 'base64url').toString())
  return header instanceof Object && 'alg' in header ? String(header.alg) : fallback
}

/** After an interruption nothing more is begun: what was just made is undone, and the run ends here. */
function atEnd(undo: () => Promise<void>): void {
  leftovers.push(undo)
  if (isInterrupted) throw new Interrupted()
}

function keep({ value, remove }: Scratch): string {
  atEnd(remove)
  return value
}

async function cleanUp(): Promise<void> {
  for (let undo = leftovers.pop(); undo; undo = leftovers.pop()) {
    await undo().catch(cause => console.error('Not cleaned up:', cause))
  }
}

const interruption = new Promise<never>((_resolve, reject) => {
  const interrupt = () => {
    isInterrupted = true
    reject(new Interrupted())
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, interrupt)
})

const running = (async () => run(readOptions(process.argv.slice(2))))()
try {
  await Promise.race([running, interruption])
} catch (cause) {
  if (cause instanceof UsageError) console.error(cause.message)
  else if (!(cause instanceof Interrupted)) console.error(cause)
  process.exitCode = cause instanceof Interrupted ? 130 : 1
}
await cleanUp()
if (isInterrupted) {
  await Promise.race([running.catch(() => undefined), sleep(2000)]) // what was being made meanwhile
  await cleanUp()
}
process.exit() // connections to ended servers hold nothing worth waiting for
