// The ways in which an organization could lose its last owner.
import type { ExecutionContext } from 'ava'
import type { TestApi } from './api.ts'

type Race = (t: ExecutionContext, api: TestApi, rounds: number) => Promise<void>

const ownersOf = ({ server }: TestApi, organizationId: string) =>
  server.resources.database.prisma.organizationMember.count({ where: { organizationId, role: 'owner', user: { deletedAt: null } } })

const pause = () => new Promise(resolve => setTimeout(resolve, Math.random() * 6))

/** Each by its title, in so many rounds. */
export const race: Readonly<Record<string, Race>> = {
  'whoever makes another the owner and leaves does not leave it to one who deletes themselves': async (t, api, rounds) => {
    for (let round = 0; round < rounds; round += 1) {
      const [owner, other] = [await api.signIn(), await api.signIn()]
      const { id } = (await api.ask('POST /organizations', { token: owner.token, body: { name: `Of two ${owner.id}` } })).data
      const base = `/organizations/${id}/members`
      await api.ask(`POST ${base}`, { token: owner.token, body: { user_id: other.id, role: 'admin' } })
      const leave = async () => {
        await api.ask(`PATCH ${base}/${other.id}/role`, { token: owner.token, body: { role: 'owner' } })
        return api.ask(`DELETE ${base}/${owner.id}`, { token: owner.token })
      }
      const remove = async () => {
        await pause()
        return api.ask('DELETE /users/me', { token: other.token })
      }
      const replies = await Promise.all([leave(), remove()])
      t.true(
        replies.every(({ status }) => [200, 404, 409, 503].includes(status)),
        JSON.stringify(replies),
      )
      t.true((await ownersOf(api, id)) > 0, `round ${round}: ${replies.map(({ status }) => status)}`)
    }
  },
  'whoever deletes themselves leaves no organization behind that they make in the same moment': async (t, api, rounds) => {
    for (let round = 0; round < rounds; round += 1) {
      const person = await api.signIn()
      const making = Array.from({ length: 20 }, (_, index) =>
        pause().then(() => api.ask('POST /organizations', { token: person.token, body: { name: `Left ${person.id} ${index}` } })),
      )
      const removing = pause().then(() => api.ask('DELETE /users/me', { token: person.token }))
      const made = await Promise.all(making)
      t.true([200, 401, 409, 503].includes((await removing).status))
      t.true(
        made.every(({ status }) => [201, 401, 503].includes(status)),
        JSON.stringify(made.map(({ status }) => status)),
      )
      for (const { status, data } of made) if (status === 201) t.is(await ownersOf(api, data.id), 1, `round ${round}`)
    }
  },
}
