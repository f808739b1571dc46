// The races of last-owner.test.ts, in many more rounds.
import test from 'ava'
import { startApi, type TestApi } from '../support/api.ts'
import { race } from '../support/last-owner.ts'

let api: TestApi
test.before(async () => {
  api = await startApi()
})
test.after.always(() => api?.close())

for (const [title, run] of Object.entries(race)) test.serial(title, t => run(t, api, 60))
