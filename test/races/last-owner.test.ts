// An organization keeps an owner who is there, whoever of its owners leaves, goes or is made one in the same moment.
import test from 'ava'
import { startApi, type TestApi } from '../support/api.ts'
import { race } from '../support/last-owner.ts'

let api: TestApi
test.before(async () => {
  api = await startApi()
})
test.after.always(() => api?.close())

for (const [title, run] of Object.entries(race)) test.serial(title, t => run(t, api, 6))
