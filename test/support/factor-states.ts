// People in the middle of a sign-in that lacks a step: which step, how they got there, and what the page asks for.
import { makeClient, type TestClient } from './clients.ts'
import { enterPassword, essential, go, makeMember, open, scan, twoFactors } from './factor-journeys.ts'
import { codeOf, enrolTotp } from './factors.ts'
import { addPasskey } from './passkey-journeys.ts'
import { type Answer, createPerson, type Person } from './person.ts'
import type { TestServer } from './server.ts'
import { makeUser } from './users.ts'

/** Somebody with a password. */
export interface Who {
  readonly id: string
  readonly email: string
  readonly password: string
}

/** Somebody in the middle of a sign-in that lacks a step. */
export interface Stuck {
  readonly who: Who
  readonly person: Person
  readonly page: Answer
  readonly entrance: TestClient
  readonly parameters: Record<string, string>
}

/** A missing step: what the page there asks for, and the way to it. */
export interface State {
  readonly page: string
  reach(): Promise<Stuck>
}

/** The missing steps. */
export const missingSteps = [
  'the password',
  'the factor after the password',
  'the enrolment after the password',
  'the recovery codes after the enrolment',
  'the enrolment of a session with one factor',
  'the step up of a session with one factor',
  'the passkey after the password',
  'the passkey of a session with one factor',
] as const

/**
 * Whoever is there already: somebody with an authenticator app, and members of organizations that require a second factor, each with a
 * client of theirs: one who has none, one who has a passkey.
 */
export async function prepareStates(server: TestServer) {
  const portal = await makeClient(server)
  const user = await makeUser(server)
  const owner = { ...user, ...(await enrolTotp(server, user)) }
  const { user: member, entrance: careful } = await makeMember(server, { isMfaRequired: true })

  const { user: keyed, entrance: guarded } = await makeMember(server, { isMfaRequired: true })
  await addPasskey(server, keyed)

  const begun = async (
    who: Who,
    entrance: TestClient,
    { parameters = {}, person = createPerson() }: { parameters?: Record<string, string>; person?: Person } = {},
  ) => ({ who, person, page: (await open(person, entrance, parameters)).page, entrance, parameters }) satisfies Stuck
  const withPassword = async (stuck: Stuck): Promise<Stuck> => ({ ...stuck, page: await enterPassword(stuck.person, stuck.page, stuck.who) })

  const states: Readonly<Record<(typeof missingSteps)[number], State>> = {
    'the password': {
      page: 'password',
      reach: async () => {
        const stuck = await begun(owner, portal)
        return { ...stuck, page: await go(stuck.person, stuck.page, { username: owner.email }) }
      },
    },
    'the factor after the password': { page: 'second-factor', reach: async () => withPassword(await begun(owner, portal)) },
    'the enrolment after the password': { page: 'enrol', reach: async () => withPassword(await begun(member, careful)) },
    'the recovery codes after the enrolment': {
      page: 'recovery-codes',
      reach: async () => {
        const made = await makeMember(server, { isMfaRequired: true })
        const stuck = await withPassword(await begun(made.user, made.entrance))
        return { ...stuck, page: await go(stuck.person, stuck.page, { code: codeOf(scan(stuck.page)) }) }
      },
    },
    'the enrolment of a session with one factor': {
      page: 'enrol',
      reach: async () => {
        const { person } = await portal.signIn({ who: member })
        return begun(member, careful, { parameters: essential(twoFactors), person })
      },
    },
    'the step up of a session with one factor': {
      page: 'second-factor',
      reach: async () => {
        const late = await makeUser(server)
        const { person } = await portal.signIn({ who: late })
        await enrolTotp(server, late)
        return begun(late, portal, { parameters: essential(twoFactors), person })
      },
    },
    'the passkey after the password': { page: 'second-factor', reach: async () => withPassword(await begun(keyed, guarded)) },
    'the passkey of a session with one factor': {
      page: 'second-factor',
      reach: async () => {
        const { person } = await portal.signIn({ who: keyed })
        return begun(keyed, guarded, { parameters: { acr_values: twoFactors }, person })
      },
    },
  }
  return { states, portal, careful, owner, member }
}

/** What {@link prepareStates} gives. */
export type Prepared = Awaited<ReturnType<typeof prepareStates>>
