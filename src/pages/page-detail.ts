// Something that a client asks for in particular (RFC 9396), such as one payment, as the consent page shows it.

/** One of them, to be read field by field. */
export interface PageDetail {
  readonly title: string
  /** The name of the API it is of. */
  readonly resource: string
  readonly fields: readonly { readonly label: string; readonly value: string }[]
}
