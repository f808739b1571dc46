// The words of domains: an organization says that one is its own, and proves it by a TXT record.

/** A domain of an organization. */
export interface Domain {
  readonly id: string
  readonly organizationId: string
  readonly domain: string
  /** The record that proves it. */
  readonly record: { readonly name: string; readonly value: string }
  /** Whom addresses of it are sent to; absent: the first connection of the organization. */
  readonly connectionId?: string
  readonly provenAt?: Date
  readonly checkedAt?: Date
  /** Since when the record of a proven domain is not there. */
  readonly missingSince?: Date
  readonly createdAt: Date
}

/** Names a domain in its organization. */
export interface DomainKey {
  readonly id: string
  readonly organizationId: string
}

/** A row of the table. */
export interface DomainRow {
  readonly id: string
  readonly organizationId: string
  readonly domain: string
  readonly token: string
  readonly connectionId: string | null
  readonly verifiedAt: Date | null
  readonly checkedAt: Date | null
  readonly missingSince: Date | null
  readonly createdAt: Date
}

/** Where the record has to stand. */
export const challengeName = (domain: string): string => `_authy2-challenge.${domain}`

/** A row as it is shown. */
export const toDomain = ({ token, verifiedAt, connectionId, checkedAt, missingSince, ...row }: DomainRow): Domain => ({
  ...row,
  record: { name: challengeName(row.domain), value: token },
  ...(connectionId === null ? {} : { connectionId }),
  ...(verifiedAt === null ? {} : { provenAt: verifiedAt }),
  ...(checkedAt === null ? {} : { checkedAt }),
  ...(missingSince === null ? {} : { missingSince }),
})
