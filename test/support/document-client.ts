// A client that is known by its metadata document, driven by the relying-party library.
import { randomInt } from 'node:crypto'
import * as client from 'openid-client'
import type { Document } from './metadata-documents.ts'
import { createPerson, type Person } from './person.ts'
import { bob, createRelyingParty } from './relying-party.ts'
import type { TestServer } from './server.ts'

/** Such a client. */
export type DocumentClient = Awaited<ReturnType<typeof makeDocumentClient>>

/** A browser at an address of its own, where the server believes the proxy in front: limits count by address. */
export const stranger = (): Person => createPerson({ 'x-forwarded-for': `100.${randomInt(64)}.${randomInt(256)}.${randomInt(1, 255)}` })

/** Makes it. */
export async function makeDocumentClient(server: TestServer, document: Document, given: { redirectUri?: string; auth?: client.ClientAuth } = {}) {
  const redirectUri = given.redirectUri ?? `${document.origin}/callback`
  const relyingParty = await createRelyingParty(server.issuer, { clientId: document.id, redirectUri, auth: given.auth ?? client.None() })

  /** Signs Bob in, as far as the page of consent. */
  const toConsent = async (person: Person = stranger()) => {
    const made = await relyingParty.request()
    let page = await person.follow(await person.get(made.url), redirectUri)
    page = await person.follow(await person.submit(page, { username: bob.email }), redirectUri)
    page = await person.follow(await person.submit(page, { password: bob.password }), redirectUri)
    return { person, page, made }
  }
  /** Where somebody who is signed in and has consented comes back to. */
  const visit = async (person: Person) => {
    const { location } = await person.follow(await person.get((await relyingParty.request()).url), redirectUri)
    if (!location) throw new Error('did not come back')
    return location
  }
  const signIn = (given: Parameters<typeof relyingParty.signIn>[0] = {}) => relyingParty.signIn({ person: stranger(), ...given })
  return { ...relyingParty, signIn, redirectUri, toConsent, visit }
}

/** Bob, as the database has him. */
export async function bobOf(server: TestServer) {
  return server.resources.database.prisma.user.findFirstOrThrow({ where: { email: bob.email } })
}
