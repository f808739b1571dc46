// Tells a person that an agent was made in their name: by themselves, or by those who administer an organization of theirs.
import type { PostNotice } from '../mails/notices.ts'
import type { Actor } from '../platform/actor.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import { mailable } from '../platform/http/text.ts'
import type { NewClient } from './client.ts'

interface Made {
  readonly actor: Actor
  readonly client: NewClient
  readonly notify: PostNotice
}

/** Posts the notice in the change that makes the client; nothing where the client is nobody's own. */
export const tellOwner = async (tx: TransactionClient, { actor, client, notify }: Made): Promise<void> => {
  const { ownerUserId: userId, organizationId: id } = client
  if (userId === undefined) return
  const agent = mailable(client.name, client.clientId)
  if (id === undefined) return notify(tx, { kind: 'agent_made', userId, actor, values: { agent } })
  const organization = await tx.organization.findUniqueOrThrow({ where: { id }, select: { name: true } })
  return notify(tx, { kind: 'member_agent_made', userId, actor, values: { agent, organization: mailable(organization.name, id) } })
}
