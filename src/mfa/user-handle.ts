// The handle by which authenticators know a user.

/** The bytes of the id, which tell nothing of the person (WebAuthn Level 3 §14.6.1), as base64url. */
export const handleOf = (userId: string): string => Buffer.from(userId.replaceAll('-', ''), 'hex').toString('base64url')
