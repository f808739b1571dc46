// Passkeys: everything a person does with them, put together.
import type { Proof } from '../authentication/authentication.ts'
import type { PostNotice } from '../mails/notices.ts'
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import type { Database } from '../platform/data/database.ts'
import type { MakeLimit } from '../platform/http/limit.ts'
import type { HoldForActor, User } from '../users/user.ts'
import type { Users } from '../users/users.ts'
import type { AlsoChanged } from './authenticator.ts'
import type { Authenticators } from './authenticators.ts'
import type { AssertionJson, CreationOptions, Passkey, PasskeyPolicy, RegistrationJson, RequestOptions } from './passkey.ts'
import { type Ceremonies, createCeremonies } from './passkey-ceremonies.ts'
import { createPasskeyChallenges, type PasskeyChallenges } from './passkey-challenges.ts'
import { createPasskeyEnrolment } from './passkey-enrolment.ts'
import { createPasskeyProof } from './passkey-proof.ts'

/** Makes, keeps and takes away passkeys. */
export interface PasskeyEnrolment {
  /** What a browser makes a passkey by; `binding` is the session of the person. Throws `too_many_passkeys`. */
  beginEnrolment(given: { user: User; binding: string }): Promise<CreationOptions>
  /**
   * Keeps a passkey that was made, under a name of the person's or of its own. Throws `validation_failed` whose cause is the
   * refusal, `passkey_taken` for one that is kept already, `too_many_passkeys`, and what {@link HoldForActor} throws. `also` is done in the same commit.
   */
  enrol(
    actor: Actor,
    given: { user: User; binding: string; response: RegistrationJson; name?: string; also?: (passkey: Passkey) => AlsoChanged },
  ): Promise<Passkey>
  /** A user's passkeys, the newest first. */
  list(userId: string): Promise<readonly Passkey[]>
  /** Throws `not_found`. `expect` is called with the passkey that is about to be changed. */
  rename(actor: Actor, passkey: { userId: string; id: string; name: string; expect?: (passkey: Passkey) => void }): Promise<Passkey>
  /** Throws `not_found`. What it proved counts no more. */
  remove(actor: Actor, passkey: { user: User; id: string }): Promise<void>
}

/** Proves people by passkey. Both proofs throw `passkey_refused`, and `passkey_unknown` for one that is not kept here. */
export interface PasskeyProof {
  /**
   * What a browser uses a passkey by; `binding` is the interaction. With a user it is one of theirs as a second factor, without
   * one the passkey says who is there. Throws `too_many_attempts`.
   */
  beginProof(actor: Actor, given: { binding: string; userId?: string }): Promise<RequestOptions>
  /** Signs in whoever holds the passkey. */
  signIn(actor: Actor, given: { binding: string; response: AssertionJson }): Promise<Proof>
  /** Proves a second factor of a user who is known. */
  prove(actor: Actor, given: { binding: string; response: AssertionJson; userId: string }): Promise<Proof>
}

/** The passkeys of the system. */
export interface Passkeys extends PasskeyEnrolment, PasskeyProof {}

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly users: Users
  readonly notify: PostNotice
  readonly authenticators: Pick<Authenticators, 'remove'>
  readonly holdForActor: HoldForActor
  readonly limit: MakeLimit
  readonly issuer: string
  readonly productName: string
  readonly policy: PasskeyPolicy
  readonly randomBytes: (size: number) => Buffer
  readonly now: () => Date
}

/** What the parts need. */
export interface PartNeeds extends Needs {
  readonly challenges: PasskeyChallenges
  readonly ceremonies: Ceremonies
}

/** Makes the service. */
export const createPasskeys = (needs: Needs): Passkeys => {
  const parts: PartNeeds = { ...needs, challenges: createPasskeyChallenges(needs), ceremonies: createCeremonies(needs) }
  return { ...createPasskeyEnrolment(parts), ...createPasskeyProof(parts) }
}
