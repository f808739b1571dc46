// Whether a client lives: neither deleted nor disabled, and as an agent of somebody, only while they are there themselves.

/**
 * The condition in SQL; `client` is the alias of its row. An agent of a person ends with their suspension and deletion, and that of a member
 * of an organization with the membership too. An organization that is deleted disables its clients itself.
 */
export const isLivingClient = <Alias extends string>(client: Alias) =>
  `${client}.deleted_at IS NULL AND ${client}.disabled_at IS NULL AND (${client}.owner_user_id IS NULL OR EXISTS (
    SELECT 1 FROM users owner WHERE owner.id = ${client}.owner_user_id AND owner.suspended_at IS NULL AND owner.deleted_at IS NULL
      AND (${client}.organization_id IS NULL OR EXISTS (
        SELECT 1 FROM organization_members m WHERE m.user_id = owner.id AND m.organization_id = ${client}.organization_id))))` as const
