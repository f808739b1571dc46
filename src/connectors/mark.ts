// Whose mark a connection may show: an organization calls its own as it likes, and runs its provider where it likes.
import type { Connectors } from './list.ts'

interface Marked {
  readonly connector: string
  readonly organizationId: string | null
  readonly settings: unknown
}

/** The connector whose brand a connection is of; of an organization's where its people really go there. */
export const markOf = (connectors: Connectors, { connector: id, organizationId, settings }: Marked): string | undefined => {
  if (organizationId === null) return id
  const connector = connectors.get(id)
  const known = connector?.settings.safeParse(settings)
  return known?.success && connector?.authorityOf(known.data) === connector?.brandAuthority ? id : undefined
}
