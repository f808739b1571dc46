// The cookie by which a browser is signed in, as all who read it or tell of it call it.

/** Its name: over TLS one that no other host and no plain page can set (RFC 6265bis §4.1.3.2). */
export const sessionCookieName = (isSecure: boolean): string => (isSecure ? '__Host-session' : 'session')
