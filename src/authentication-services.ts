// How people prove who they are before any second factor: the services of users, passwords and what is proven by mail.
import { createAcceptProof } from './authentication/accept-proof.ts'
import { createAssignedPasswords } from './authentication/assigned-passwords.ts'
import { createEmailCode } from './authentication/email-code.ts'
import { createEmailVerification } from './authentication/email-verification.ts'
import { createMailBudget } from './authentication/mail-budget.ts'
import { createPasswords } from './authentication/password.ts'
import { createProofs } from './authentication/proofs.ts'
import { createProvenSignUp } from './authentication/proven-sign-up.ts'
import { createRecovery } from './authentication/recovery.ts'
import { createErasePasswords, createReplacePassword } from './authentication/replace-password.ts'
import { createSignIn } from './authentication/sign-in.ts'
import { createSignInBudget } from './authentication/sign-in-budget.ts'
import { createSignUp } from './authentication/sign-up.ts'
import { createVerifyStrength } from './authentication/strength.ts'
import type { Config } from './config.ts'
import { eraseIdentities } from './connectors/identities.ts'
import type { Foundation } from './foundation.ts'
import { createEraseFactors } from './mfa/erase.ts'
import { endBackchannelRequestsOfUser } from './oidc/backchannel-requests.ts'
import type { TransactionClient } from './platform/data/database.ts'
import type { Resources } from './resources.ts'
import { eraseDevices } from './sessions/devices.ts'
import { endSessionsOfUser } from './sessions/endings.ts'
import type { TenantServices } from './tenant-services.ts'
import { lockUser } from './users/administration.ts'
import { mustAdminister } from './users/admins.ts'
import { createEndAccess } from './users/end-access.ts'
import { createProveEmail } from './users/prove-email.ts'
import { replaceProfile } from './users/replace-profile.ts'
import { createUsers } from './users/users.ts'

/** These services. */
export type AuthenticationServices = ReturnType<typeof createAuthenticationServices>

/** Makes them. */
export const createAuthenticationServices = (
  { database, log, hashingCost, now, randomBytes }: Resources,
  {
    change,
    limit,
    queue,
    endings,
    isMailPossible,
    notify,
    challenges,
    agentsOfOwners,
    endAgents,
  }: Foundation & Pick<TenantServices, 'agentsOfOwners' | 'endAgents'>,
  { issuer, passwordMinLength }: Pick<Config, 'issuer' | 'passwordMinLength'>,
) => {
  const users = createUsers({ database, change, now })
  const passwords = createPasswords({ randomBytes, hashingCost })
  const endAccess = createEndAccess({ now, endings: [endSessionsOfUser, endings.ofUser, endBackchannelRequestsOfUser] })
  const replacePassword = createReplacePassword({ endAccess, agentsOfOwners, notify, now })
  const budget = createSignInBudget({ database, limit })
  const signIn = createSignIn({ database, change, users, passwords, budget, replacePassword })
  const verifyStrength = createVerifyStrength({ minLength: passwordMinLength, host: new URL(issuer).hostname })
  const assignedPasswords = createAssignedPasswords({ users, passwords, signIn, verifyStrength, mustAdminister, lockUser })
  const takeMail = createMailBudget({ limit, users })
  const proofs = createProofs({ database, challenges, queue, limit, takeMail, log, isPossible: isMailPossible })
  const endOwnAgents = async (tx: TransactionClient, ownerUserId: string) => {
    await endAgents(tx, { ownerUserId, organizationId: null, deletedAt: null })
  }
  // Whoever keeps something that signs a person in, or acts for them, names here how it is erased.
  const erasures = [endOwnAgents, endAccess, createErasePasswords({ now }), createEraseFactors({ now }), eraseIdentities, eraseDevices]
  const acceptProof = createAcceptProof({ proveEmail: createProveEmail({ now }), challenges, erasures })
  const signUp = createSignUp({ users, passwords, signIn, proofs, limit, verifyStrength })
  const provenSignUp = createProvenSignUp({
    limit,
    verifyStrength,
    proofs,
    users,
    passwords,
    change,
    acceptProof,
    replacePassword,
    replaceProfile,
    now,
  })
  const recovery = createRecovery({ verifyStrength, challenges, users, passwords, change, acceptProof, replacePassword, budget })
  const emailVerification = createEmailVerification({ database, challenges, users, change, acceptProof })
  const emailCode = createEmailCode({ proofs, users, change, acceptProof, now })
  return {
    users,
    endAccess,
    passwords,
    signIn,
    signUp,
    proofs,
    acceptProof,
    provenSignUp,
    recovery,
    emailVerification,
    emailCode,
    assignedPasswords,
  }
}
