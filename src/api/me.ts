// The operations on oneself.
import { z } from 'zod'
import { mustTakePasswords } from '../authentication/authentication.ts'
import type { SignUp } from '../authentication/sign-up.ts'
import type { Members } from '../organizations/members.ts'
import type { Actor } from '../platform/actor.ts'
import type { FormTokens } from '../platform/http/form.ts'
import { done, type Route, route } from '../platform/http/route.ts'
import { languageTag, mailedName, text } from '../platform/http/text.ts'
import type { RecentProofs } from '../sessions/recent-proofs.ts'
import type { AccountDeletion } from '../users/account-deletion.ts'
import type { UserAdministration } from '../users/administration.ts'
import type { CollectPersonalData } from '../users/personal-data.ts'
import { toUserOutput, type User, userIdOf, userOutput } from '../users/user.ts'
import { csrfTokenOf } from './browser.ts'

interface Needs {
  readonly userAdministration: UserAdministration
  readonly members: Members
  readonly signUp: SignUp
  readonly forms: FormTokens
  readonly accountDeletion: AccountDeletion
  readonly collectPersonalData: CollectPersonalData
  readonly recentProofs: RecentProofs
  readonly config: { readonly signInMethods: readonly string[] }
}

const permission = 'signed_in'
const pictureAddress = z.url({ protocol: /^https$/ }).max(2000)
const organizationOfMine = z.object({
  organization: z.object({ id: z.uuid(), slug: z.string(), name: z.string() }),
  role: z.string(),
  joined_at: z.iso.datetime(),
})

/** Makes the routes. */
export const createMeRoutes = ({
  userAdministration,
  accountDeletion,
  members,
  signUp,
  forms,
  collectPersonalData,
  recentProofs,
  config,
}: Needs): readonly Route[] => {
  const me = (actor: Actor): Promise<User> => userAdministration.get(userIdOf(actor))
  return [
    route({
      method: 'GET',
      path: '/auth/me',
      summary: 'Who the caller is and what they may do in the whole system.',
      permission,
      output: userOutput.extend({ permissions: z.array(z.string()), csrf_token: z.string() }),
      handle: async ({ actor }) => ({
        data: { ...toUserOutput(await me(actor)), permissions: [...actor.permissions], csrf_token: csrfTokenOf(forms, actor.sessionId ?? '') },
      }),
    }),
    route({
      method: 'GET',
      path: '/users/me',
      summary: 'The caller as a user.',
      permission,
      output: userOutput,
      handle: async ({ actor }) => told(await me(actor)),
    }),
    route({
      method: 'PATCH',
      path: '/users/me',
      summary: 'Changes what the caller is called and shown as; null empties.',
      permission,
      comparesVersion: true,
      body: z.strictObject({
        full_name: mailedName(200).nullish(),
        picture: pictureAddress.nullish(),
        locale: languageTag.nullish(),
      }),
      output: userOutput,
      handle: async ({ actor, body: { full_name: name, ...rest }, ifMatch }) => {
        const changes = name === undefined ? rest : { ...rest, name }
        return told(await userAdministration.update(actor, userIdOf(actor), { ...changes, expect: ifMatch }))
      },
    }),
    route({
      method: 'DELETE',
      path: '/users/me',
      summary: 'Deletes the caller, who proved themselves in the last five minutes; for 30 days a link that is mailed, or an administrator, brings them back.',
      permission,
      comparesVersion: true,
      output: done,
      handle: async ({ actor, ifMatch }) => {
        await recentProofs.verify(actor)
        await accountDeletion.remove(actor, await me(actor), { expect: ifMatch })
        return { data: null }
      },
    }),
    route({
      method: 'POST',
      path: '/users/me/password',
      summary: 'Changes the password and ends all sessions and grants but the caller’s.',
      permission,
      body: z.strictObject({ current_password: text(2048).min(1), new_password: text(2048) }),
      output: done,
      handle: async ({ actor, body }) => {
        mustTakePasswords(config)
        // The current password proves the first factor anew.
        await recentProofs.verifyFactors(actor)
        await signUp.changePassword(actor, { user: await me(actor), currentPassword: body.current_password, newPassword: body.new_password })
        return { data: null }
      },
    }),
    route({
      method: 'GET',
      path: '/users/me/export',
      summary: 'All that is kept of the caller, who proved themselves in the last five minutes, without secrets.',
      permission,
      output: z.record(z.string(), z.json()),
      handle: async ({ actor }) => {
        await recentProofs.verify(actor)
        return { data: z.record(z.string(), z.json()).parse(JSON.parse(JSON.stringify(await collectPersonalData(userIdOf(actor))))) }
      },
    }),
    route({
      method: 'GET',
      path: '/users/me/organizations',
      summary: 'The organizations that the caller is a member of, by name.',
      permission,
      output: z.array(organizationOfMine),
      handle: async ({ actor }) => ({
        data: (await members.listOfUser(userIdOf(actor))).map(({ organization, role, joinedAt }) => ({
          organization,
          role,
          joined_at: joinedAt.toISOString(),
        })),
      }),
    }),
  ]
}

const told = (user: User) => ({ data: toUserOutput(user), version: user.updatedAt })
