// A person's own passkeys: made, listed, renamed and removed; whoever's account it is hears of it by mail.
import { Problem } from '../platform/errors.ts'
import { deviceName } from '../platform/http/device.ts'
import type { User } from '../users/user.ts'
import { toNoted } from './authenticator-row.ts'
import { maxPasskeys, PasskeyRefusal, type RegistrationJson } from './passkey.ts'
import type { Credential } from './passkey-ceremonies.ts'
import { passkeyName } from './passkey-name.ts'
import { toDescriptor, toPasskey } from './passkey-row.ts'
import { challengeOf } from './passkey-shape.ts'
import type { PartNeeds, PasskeyEnrolment } from './passkeys.ts'
import { handleOf } from './user-handle.ts'

const kind = 'passkey'
const livingOf = (userId: string) => ({ userId, kind, deletedAt: null })

/** Makes the part. */
export const createPasskeyEnrolment = (needs: PartNeeds): PasskeyEnrolment => {
  const { database, change, challenges, ceremonies, authenticators, notify, holdForActor, now } = needs
  const list = (userId: string) => database.prisma.authenticator.findMany({ where: livingOf(userId), orderBy: [{ createdAt: 'desc' }, { id: 'desc' }] })

  const verified = async (response: RegistrationJson, { user, binding }: { user: User; binding: string }): Promise<Credential> => {
    try {
      const challenge = challengeOf(response)
      if (!(await challenges.redeem(challenge, { ceremony: 'registration', userId: user.id, binding }))) throw new PasskeyRefusal('challenge')
      return await ceremonies.verifyRegistration(response, challenge)
    } catch (error) {
      if (!(error instanceof PasskeyRefusal)) throw error
      throw new Problem('validation_failed', { cause: error, fields: [{ path: 'response', message: 'This passkey could not be verified. Try again.' }] })
    }
  }

  return {
    beginEnrolment: async ({ user, binding }) => {
      const known = await list(user.id)
      if (known.length >= maxPasskeys) throw new Problem('too_many_passkeys')
      const challenge = await challenges.issue({ ceremony: 'registration', userId: user.id, binding })
      const names = { name: user.email, displayName: user.name ?? user.email }
      return ceremonies.creationOptions({ challenge, user: { handle: handleOf(user.id), ...names }, exclude: known.map(toDescriptor) })
    },
    enrol: async (actor, { user, binding, response, name, also }) => {
      const credential = await verified(response, { user, binding })
      const { aaguid } = credential.details
      return change(actor, async (tx, record) => {
        // Of those who add at once each sees what the others added.
        await holdForActor(tx, actor, user.id)
        if ((await tx.authenticator.count({ where: livingOf(user.id) })) >= maxPasskeys) throw new Problem('too_many_passkeys')
        const row = await tx.authenticator.create({
          data: {
            userId: user.id,
            kind,
            name: name ?? passkeyName({ aaguid, device: deviceName(actor.userAgent) }),
            confirmedAt: now(),
            ...toColumns(credential),
          },
        })
        record('authenticator.enrolled', told(row))
        await notify(tx, { kind: 'factor_added', userId: user.id, actor, values: toNoted(row) })
        const passkey = toPasskey(row)
        await also?.(passkey)(tx, record)
        return passkey
      })
    },
    list: async userId => (await list(userId)).map(toPasskey),
    rename: (actor, { userId, id, name, expect }) =>
      change(actor, async (tx, record) => {
        await tx.$queryRaw`SELECT id FROM authenticators WHERE id = ${id}::uuid FOR NO KEY UPDATE`
        const known = await tx.authenticator.findFirst({ where: { ...livingOf(userId), id } })
        if (!known) throw new Problem('not_found')
        expect?.(toPasskey(known))
        const row = await tx.authenticator.update({ where: { id }, data: { name } })
        record('authenticator.renamed', told(row))
        return toPasskey(row)
      }),
    remove: (actor, { user, id }) => authenticators.remove(actor, { user, id, kind }),
  }
}

const toColumns = ({ id, publicKey, counter, details }: Credential) => ({
  credentialId: new Uint8Array(Buffer.from(id, 'base64url')),
  secret: publicKey,
  counter,
  details: { ...details, transports: [...details.transports] },
})

const told = ({ id, userId, name }: { id: string; userId: string; name: string }) => ({ id, user_id: userId, kind, name })
