// What is told of an identity that was linked or unlinked.
import type { MailRequest } from '../mails/mail.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import { mailable } from '../platform/http/text.ts'

interface Named {
  readonly name: string
  readonly connector: string
  readonly organizationId?: string | null | undefined
}

/** How a mail names a connection: an organization may call its own as it likes, so it is named too. */
export const notedOf = async (tx: TransactionClient, { name, connector, organizationId }: Named): Promise<NonNullable<MailRequest['values']>> => {
  const owner = organizationId ? await tx.organization.findUnique({ where: { id: organizationId }, select: { name: true } }) : null
  return { connection: mailable(name, connector), organization: organizationId ? mailable(owner?.name ?? '', organizationId) : 'none' }
}
