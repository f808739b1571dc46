// Searching organizations by `q`: what is typed is text, in any letters, and stands for nothing but itself.
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { startApi, type TestApi } from '../support/api.ts'

let api: TestApi
let admin: string
test.before(async () => {
  api = await startApi()
  const person = await api.signIn()
  await api.server.services.userAdministration.update(systemActor, person.id as never, { isAdmin: true })
  admin = person.token
  for (const [index, name] of ['Only mine', '100 % Wolle', 'snake_case', 'back\\slash', "O'Brien", 'CAFÉ Übersee', 'Ελλάδα', 'a+b'].entries())
    await api.server.services.organizations.create(systemActor, { slug: `searched-${index}`, name })
})
test.after.always(() => api?.close())

const found = async (query: string) => (await api.ask(`GET /organizations?q=${query}`, { token: admin })).data.map(({ name }: { name: string }) => name)

for (const [typed, name] of [
  ['only mine', 'Only mine'],
  ['ONLY MINE', 'Only mine'],
  [' only mine ', 'Only mine'],
  ['0 %', '100 % Wolle'],
  ['e_c', 'snake_case'],
  ['k\\s', 'back\\slash'],
  ["o'b", "O'Brien"],
  ['café übersee', 'CAFÉ Übersee'],
  ['café'.normalize('NFD'), 'CAFÉ Übersee'],
  ['ΕΛΛΆΔΑ', 'Ελλάδα'],
  ['a+b', 'a+b'],
  ['SEARCHED-6', 'Ελλάδα'],
] as const)
  test(`«${typed}»${typed === typed.normalize() ? '' : ' (decomposed)'} finds ${name} alone`, async t =>
    t.deepEqual(await found(encodeURIComponent(typed)), [name]))

test('a plus is a space, as forms write it, and an encoded one is itself', async t => {
  t.deepEqual(await found('only+mine'), ['Only mine'])
  t.deepEqual(await found('a%2Bb'), ['a+b'])
})

test('what stands for anything elsewhere stands for itself', async t => {
  for (const typed of ['%', '_', '\\'])
    t.deepEqual(await found(encodeURIComponent(typed)), { '%': ['100 % Wolle'], _: ['snake_case'], '\\': ['back\\slash'] }[typed], typed)
})

test('whoever is made administrator sees all at the next request', async t => {
  const { id, token } = await api.signIn()
  const total = async () => (await api.ask('GET /organizations?q=only+mine', { token })).meta?.total
  t.is(await total(), 0)
  await api.server.services.userAdministration.update(systemActor, id as never, { isAdmin: true })
  t.is(await total(), 1)
})
