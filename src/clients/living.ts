// What SQL asks of a client: whether it lives, as an agent of somebody only while they are there themselves, and whom it is open to.

/**
 * The condition in SQL; `client` is the alias of its row. An agent of a person ends with their suspension and deletion, and that of a member
 * of an organization with the membership too. An organization that is deleted disables its clients itself.
 */
export const isLivingClient = <Alias extends string>(client: Alias) =>
  `${client}.deleted_at IS NULL AND ${client}.disabled_at IS NULL AND (${client}.owner_user_id IS NULL OR EXISTS (
    SELECT 1 FROM users owner WHERE owner.id = ${client}.owner_user_id AND owner.suspended_at IS NULL AND owner.deleted_at IS NULL
      AND (${client}.organization_id IS NULL OR EXISTS (
        SELECT 1 FROM organization_members m WHERE m.user_id = owner.id AND m.organization_id = ${client}.organization_id))))` as const

/**
 * The condition in SQL that a client is open to a person: an organization's to its members alone where it says so or is an agent, and an
 * agent of a person to that person alone. `client` is the alias of its row, `user` an expression that is the person's id.
 */
export const isForMember = <Alias extends string, User extends string>(client: Alias, user: User) =>
  `CASE
    WHEN ${client}.organization_id IS NULL THEN ${client}.owner_user_id IS NULL OR ${client}.owner_user_id = ${user}
    ELSE NOT (${areMembersAlone(client)}) OR EXISTS (
      SELECT 1 FROM organization_members m JOIN organizations o ON o.id = m.organization_id
      WHERE m.organization_id = ${client}.organization_id AND m.user_id = ${user} AND o.deleted_at IS NULL)
  END` as const

/** The source of a client in SQL, as it is kept: a person's own agent is theirs also where a process of the version before made it. */
export const sourceIn = <Alias extends string>(client: Alias) =>
  `CASE WHEN ${client}.owner_user_id IS NOT NULL AND ${client}.organization_id IS NULL THEN 'person' ELSE ${client}.source END` as const

/** The condition in SQL that of an organization's client its members alone may make use. */
export const areMembersAlone = <Alias extends string>(client: Alias) => `${client}.is_members_only OR ${client}.is_agent` as const
