// One thing of every kind whose version a GET tells, with what changes it.
import { randomUUID } from 'node:crypto'
import { makeAdmin, password, type TestApi } from './api.ts'
import { makeOrganization } from './organization.ts'

/** A thing that was made. */
export interface Versioned {
  /** Who may do with it whatever can be done. */
  readonly token: string
  readonly at: string
}

/** How a kind of thing is made, and what is written of it: `METHOD suffix` of its address, and the body. */
export interface Kind {
  readonly make: () => Promise<Versioned>
  readonly writes: readonly { readonly operation: string; readonly body?: object }[]
}

const change = (body: object) => ({ operation: 'PATCH', body })
const deletion = { operation: 'DELETE' }
const rename = [change({ name: 'Another' }), deletion]

/** The kinds, by the path of their routes. */
export const kindsOf = async (api: TestApi): Promise<Readonly<Record<string, Kind>>> => {
  const admin = await makeAdmin(api)
  const { base, owner } = await makeOrganization(api)
  const by =
    (token: string, all: string, { body, idOf = data => data.id }: { body: () => object; idOf?: IdOf }) =>
    async (): Promise<Versioned> => {
      const { data, status } = await api.ask(`POST ${all}`, { token, body: body() })
      if (status !== 201) throw new Error(`making one of ${all} answered ${status}`)
      return { token, at: `${all}/${idOf(data)}` }
    }
  const both = (name: string, { writes, ...made }: { writes: Kind['writes']; body: () => object; idOf?: IdOf }): Record<string, Kind> => ({
    [`/${name}/:id`]: { make: by(admin, `/${name}`, made), writes },
    [`/organizations/:id/${name}/:${idNames[name]}`]: { make: by(owner.token, `${base}/${name}`, made), writes },
  })
  const inside = (name: string, id: string, { writes, body }: { writes: Kind['writes']; body: () => object }): Record<string, Kind> => ({
    [`/organizations/:id/${name}/:${id}`]: { make: by(owner.token, `${base}/${name}`, { body }), writes },
  })
  const makePlace = by(owner.token, '/organizations', { body: () => ({ name: 'Works' }) })
  const email = () => `${randomUUID()}@people.example`

  return {
    '/users/me': {
      make: async () => ({ token: (await api.signIn()).token, at: '/users/me' }),
      writes: [change({ full_name: 'Another' }), deletion],
    },
    '/users/:id': {
      make: by(admin, '/users', { body: () => ({ email: email(), password }) }),
      writes: [change({ full_name: 'Another' }), { operation: 'POST /suspend' }, { operation: 'POST /activate' }, deletion],
    },
    '/organizations/:id': { make: makePlace, writes: rename },
    '/organizations/:id/settings': {
      make: async () => {
        const place = await makePlace()
        return { ...place, at: `${place.at}/settings` }
      },
      writes: [change({ sign_up: 'closed' })],
    },
    ...inside('roles', 'roleId', { writes: [change({ description: 'Another' }), deletion], body: () => ({ name: `r-${randomUUID()}`, permissions: [] }) }),
    ...inside('domains', 'domainId', { writes: [change({ connection_id: null }), deletion], body: () => ({ domain: `${randomUUID()}.example` }) }),
    ...inside('invitations', 'invitationId', { writes: [deletion], body: () => ({ email: email() }) }),
    ...both('clients', { writes: rename, idOf: data => data.client.id, body: () => ({ name: 'One', redirect_uris: ['https://one.example/cb'] }) }),
    ...both('resource-servers', { writes: rename, body: () => ({ identifier: `https://${randomUUID()}.example/`, name: 'One' }) }),
    ...both('connections', { writes: rename, body: connection }),
    ...both('webhooks', {
      writes: rename,
      idOf: data => data.webhook.id,
      body: () => ({ url: 'https://hooks.example/', events: ['user.created'] }),
    }),
  }
}

// biome-ignore lint/suspicious/noExplicitAny: what a creation answers differs by kind.
type IdOf = (data: any) => string

const idNames: Readonly<Record<string, string>> = {
  clients: 'clientId',
  'resource-servers': 'resourceServerId',
  connections: 'connectionId',
  webhooks: 'webhookId',
}

// Nobody listens at that port, and nobody is asked.
const connection = () => ({
  connector: 'oidc',
  name: 'One',
  settings: { issuer: 'http://localhost:9', client_id: 'authy2' },
  secrets: { client_secret: 'made up for a provider' },
})
