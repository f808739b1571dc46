// Another provider, which runs already: measured beside ours in the same rounds, by what its discovery tells.
import { UsageError } from './options.ts'
import { readUsage } from './process-tree.ts'
import type { Sample, Subject } from './subject.ts'
import { createTarget, type Target } from './target.ts'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Opens the provider that BENCH_PEER_ISSUER names, `undefined` where it names none. Throws a UsageError where a setting is missing or wrong.
 * Without BENCH_PEER_USERNAME nobody signs in there. Without BENCH_PEER_PIDS its requests are counted by the second alone.
 */
export async function openPeer(environment: Environment): Promise<Target | undefined> {
  const { BENCH_PEER_ISSUER: issuer, BENCH_PEER_CLIENT_ID: id, BENCH_PEER_CLIENT_SECRET: secret, BENCH_PEER_FORM: form = '' } = environment
  if (!issuer) return undefined
  if (!URL.canParse(issuer)) throw new UsageError(`BENCH_PEER_ISSUER is no URL: ${issuer}`)
  if (!id || secret === undefined) throw new UsageError('BENCH_PEER_ISSUER needs BENCH_PEER_CLIENT_ID and BENCH_PEER_CLIENT_SECRET')
  const { application, people } = peopleOf(environment, { id, secret })
  const pids = (environment.BENCH_PEER_PIDS ?? '').split(',').filter(Boolean).map(Number)
  await verifyPids(pids)
  const url = new URL(issuer)
  // A connection leads to an origin; the issuer's path is discovery's alone.
  const subject: Pick<Subject, 'name' | 'url' | 'sample'> = {
    name: environment.BENCH_PEER_NAME || url.host,
    url: new URL(url.origin),
    sample: () => sampleOf(pids),
  }
  // OpenID Connect Discovery §4.1: below the issuer's own path.
  const discovery = `${url.pathname.replace(/\/$/, '')}/.well-known/openid-configuration`
  return createTarget(subject, { isPeer: true, discovery, service: { id, secret }, application, people, form })
}

/** Who signs in to the same client, and where its codes are sent. */
function peopleOf(environment: Environment, client: { id: string; secret: string }) {
  const { BENCH_PEER_USERNAME: username, BENCH_PEER_PASSWORD: password, BENCH_PEER_REDIRECT_URI: redirectUri = '' } = environment
  if (!username) return { application: { ...client, redirectUri }, people: [] }
  if (!password || !URL.canParse(redirectUri)) throw new UsageError('BENCH_PEER_USERNAME needs BENCH_PEER_PASSWORD and a URL as BENCH_PEER_REDIRECT_URI')
  return { application: { ...client, redirectUri }, people: [{ username, password }] }
}

/** Throws a UsageError for what is no process, and for one that would be counted twice. */
async function verifyPids(pids: readonly number[]): Promise<void> {
  for (const pid of pids) {
    const usage = await readUsage(pid).catch(() => undefined)
    if (!usage) throw new UsageError(`BENCH_PEER_PIDS names no process: ${pid}`)
    const below = usage.pids.slice(1).find(child => pids.includes(child))
    if (below !== undefined) throw new UsageError(`BENCH_PEER_PIDS names ${below}, which is counted with ${pid}: it lies below it`)
  }
}

async function sampleOf(pids: readonly number[]): Promise<Sample> {
  const usages = await Promise.all(pids.map(readUsage))
  const sum = (value: (usage: (typeof usages)[number]) => number) => (pids.length === 0 ? Number.NaN : usages.reduce((all, usage) => all + value(usage), 0))
  return {
    treeSeconds: sum(({ treeSeconds }) => treeSeconds),
    ownSeconds: sum(({ ownSeconds }) => ownSeconds),
    ownMegabytes: sum(({ ownMegabytes }) => ownMegabytes),
    childrenMegabytes: sum(({ childrenMegabytes }) => childrenMegabytes),
    pids,
    roundTrips: undefined,
  }
}
