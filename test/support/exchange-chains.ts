// Random chains of exchanges: what each link may have at the most is reckoned apart from the server, and then an ancestor is ended.
import fc from 'fast-check'
import { systemActor } from '../../src/platform/actor.ts'
import { createCalls } from './calls.ts'
import { makeClient, type TestClient } from './clients.ts'
import { accessTokenType, actorTokenOf, askExchange, introspect, makeExchanger, makeResource, makeSubject } from './exchange.ts'
import { createEndings, type End, ends } from './exchange-ends.ts'
import { startServer } from './server.ts'

/** One exchange that is asked for. Numbers choose among the ground's clients, audiences, scopes and organizations. */
interface Step {
  readonly by: number
  /** Absent: the subject token's. */
  readonly target?: number
  readonly scopes?: readonly number[]
  readonly isDelegated: boolean
  readonly organization?: number
}

/** A chain to make, and what of it to end. */
export interface Plan {
  readonly start: { readonly audience: number; readonly scopes: readonly number[]; readonly organization?: number }
  readonly steps: readonly Step[]
  readonly end: { readonly how: End; readonly link: number }
}

const three = fc.nat({ max: 2 })
const someScopes = fc.uniqueArray(three, { minLength: 1 })
// Mostly the resource servers, which have scopes of the same names; now and then our API, and for a start userinfo.
const target = fc.oneof({ weight: 9, arbitrary: three }, { weight: 1, arbitrary: fc.constant(3) })
const step = fc.record({ by: three, target, scopes: someScopes, isDelegated: fc.boolean(), organization: three }, { requiredKeys: ['by', 'isDelegated'] })

/** Plans of chains. */
export const plans: fc.Arbitrary<Plan> = fc.record({
  start: fc.record(
    {
      audience: fc.oneof({ weight: 9, arbitrary: target }, { weight: 1, arbitrary: fc.constant(4) }),
      scopes: fc.oneof(fc.constant([0, 1, 2]), someScopes),
      organization: fc.nat({ max: 1 }),
    },
    { requiredKeys: ['audience', 'scopes'] },
  ),
  steps: fc.array(step, { minLength: 1, maxLength: 7 }),
  end: fc.record({ how: fc.constantFrom(...ends), link: fc.nat({ max: 7 }) }),
})

/** One token of a chain, and what it may say. */
export interface Held {
  readonly by: TestClient
  readonly token: string
  /** Absent: the token is for userinfo. */
  readonly audience?: string
  readonly scopes: ReadonlySet<string>
  readonly exp: number
  readonly organization?: string
  readonly actor?: string
  /** How many ancestors it has. */
  readonly depth: number
}

interface Audience {
  readonly identifier?: string
  readonly names: readonly string[]
}

interface Taking {
  readonly before: Held
  readonly first: Held
  readonly clients: readonly TestClient[]
  readonly ceilings: ReadonlyMap<string, ReadonlySet<string>>
}

const most = 8
// What each client may have of each audience, by its policy.
const mayHave = [[0, 1, 2], [0, 1], [0]]

/** Opens the ground: three resource servers, our API and userinfo; organizations of which the last is nobody's. */
export async function openChains() {
  const server = await startServer({ settings: { API_REQUESTS_PER_MINUTE: '1000000' } })
  const calls = createCalls(server.issuer)
  const made = await Promise.all([makeResource(server), makeResource(server, { accessTokenTtlSeconds: 300 }), makeResource(server, { tokenFormat: 'opaque' })])
  const audiences: readonly Audience[] = [
    ...made.map(identifier => ({ identifier, names: ['read', 'write', 'admin'] })),
    { identifier: `${server.issuer}/api/v1`, names: ['users:read', 'users:write', 'clients:read'] },
    { names: ['openid', 'email', 'profile'] },
  ]
  const organizations = await Promise.all(
    ['a', 'b', 'c'].map(async slug => (await server.services.organizations.create(systemActor, { slug: `chain-${slug}`, name: slug })).id),
  )
  const namesOf = (audience: Audience | undefined, chosen: readonly number[] = []) => chosen.map(n => audience?.names[n] ?? '')
  const findAudience = (identifier: string | undefined) => audiences.find(one => one.identifier === identifier)

  const makeClients = (front: TestClient) => {
    const ids = [0, 1, 2].map(n => `${front.clientId}-${n}`)
    const policyOf = (n: number) => ({
      allowed_clients: [front.clientId, ...ids],
      audiences: audiences.flatMap(one => (one.identifier === undefined ? [] : [{ identifier: one.identifier, scopes: namesOf(one, mayHave[n]) }])),
      may_delegate: true,
    })
    return Promise.all(ids.map((clientId, n) => makeExchanger(server, policyOf(n), { clientId })))
  }

  const reckon = (asked: Step, { before, ceilings }: { before: Held; ceilings: ReadonlyMap<string, ReadonlySet<string>> }, by: TestClient) => {
    const audience = asked.target === undefined ? findAudience(before.audience) : audiences[asked.target]
    const isSame = audience?.identifier === before.audience
    const isFree = isSame && (by.clientId === before.by.clientId || before.audience === undefined)
    const ceiling = (isSame ? undefined : ceilings.get(audience?.identifier ?? '')) ?? before.scopes
    const permitted = namesOf(audience, isFree ? [0, 1, 2] : mayHave[asked.by]).filter(name => ceiling.has(name))
    const organization = asked.organization === undefined ? undefined : organizations[asked.organization]
    const depth = before.depth + (asked.isDelegated ? 2 : 1)
    const isAllowed =
      namesOf(audience, asked.scopes).every(name => permitted.includes(name)) &&
      (audience?.identifier === undefined || isSame || permitted.length > 0) &&
      (organization === undefined || (organization !== organizations[2] && organization === before.organization)) &&
      depth <= most
    return { audience, permitted: new Set(permitted), organization, depth, isAllowed }
  }

  const take = async (asked: Step, parts: Taking) => {
    const { before, first } = parts
    const by = parts.clients[asked.by] as TestClient
    const { audience, permitted, organization, depth, isAllowed } = reckon(asked, parts, by)
    const actor = asked.isDelegated ? await actorTokenOf(by) : undefined
    const answer = await askExchange(server, by, {
      subject_token: before.token,
      subject_token_type: accessTokenType,
      resource: asked.target === undefined ? undefined : audience?.identifier,
      scope: asked.scopes && namesOf(audience, asked.scopes).join(' '),
      organization,
      ...(actor === undefined ? {} : { actor_token: actor, actor_token_type: accessTokenType }),
    })
    if ((answer.status === 200) !== isAllowed) throw new Error(`it should ${isAllowed ? '' : 'not '}be granted: ${answer.error} ${answer.error_description}`)
    if (!isAllowed) return undefined
    const told = await introspect(by, answer.access_token)
    const scopes = new Set((told.scope ?? '').split(' ').filter(Boolean))
    const faults = [
      ...(told.active ? [] : ['it is not active']),
      ...(told.aud === audience?.identifier ? [] : [`its audience is ${told.aud}`]),
      ...(told.org_id === before.organization ? [] : [`its organization is ${told.org_id}`]),
      ...(Number(told.exp) <= before.exp ? [] : ['it lives longer than what it came from']),
      ...([...scopes].every(name => permitted.has(name)) ? [] : [`its scope is ${told.scope}`]),
      ...([...scopes].every(name => first.scopes.has(name)) ? [] : [`the chain began with ${[...first.scopes].join(' ')}, and now has ${told.scope}`]),
      ...(actor === undefined || (told.act as { sub: string } | undefined)?.sub === by.clientId ? [] : ['it does not name who acts']),
    ]
    if (faults.length > 0) throw new Error(faults.join('; '))
    const next: Held = {
      by,
      token: answer.access_token,
      audience: audience?.identifier,
      scopes,
      exp: Number(told.exp),
      actor,
      depth,
      organization: before.organization,
    }
    return next
  }

  const startOf = async ({ audience: chosen, scopes, organization: at }: Plan['start'], front: TestClient) => {
    const audience = audiences[chosen]
    const scope = [...new Set(['openid', ...namesOf(audience, scopes)])].join(' ')
    const organization = at === undefined ? undefined : organizations[at]
    const subject = await makeSubject(server, front, { resource: audience?.identifier, scope, organizations: organizations.slice(0, 2), organization })
    const told = await introspect(front, subject.token)
    const first: Held = {
      by: front,
      token: subject.token,
      audience: audience?.identifier,
      scopes: new Set((told.scope ?? '').split(' ')),
      exp: Number(told.exp),
      depth: 0,
      organization,
    }
    return { subject, first }
  }

  /** Makes a chain and verifies each link against the reckoning, then ends an ancestor. Throws a sentence for what is wrong; answers how many links there were. */
  const run = async ({ start, steps, end }: Plan): Promise<number> => {
    const front = await makeClient(server, { refreshGraceSeconds: 0 })
    const clients = await makeClients(front)
    const { subject, first } = await startOf(start, front)
    const links = [first]
    const ceilings = new Map<string, ReadonlySet<string>>()
    for (const asked of steps) {
      const before = links.at(-1) ?? first
      if (before.audience !== undefined) ceilings.set(before.audience, before.scopes)
      const next = await take(asked, { before, first, clients, ceilings })
      if (next) links.push(next)
    }
    await createEndings({ server, calls })(end, { front, links, subject })
    return links.length
  }

  const close = async () => {
    await calls.close()
    await server.close()
  }
  return { run, close }
}
