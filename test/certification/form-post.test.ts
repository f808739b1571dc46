// oidcc-formpost-basic-certification-test-plan: each module of the public plan by its name, by a double of ours.
import test from 'ava'
import { basicPlan } from './modules/basic.ts'
import { type Suite, startSuite } from './suite.ts'

let suite: Suite
test.before(async () => {
  suite = await startSuite({ responseMode: 'form_post' })
})
test.after.always(() => suite?.close())

for (const { name, run } of basicPlan) test(name, t => run(t, suite))
