// oidcc-codereuse-30seconds, of the plans Basic and Form Post Basic: a code comes again after half a minute.
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { codeReuse } from './modules/requests.ts'
import { startSuite } from './suite.ts'

for (const responseMode of [undefined, 'form_post'] as const)
  test(`oidcc-codereuse-30seconds${responseMode ? `, ${responseMode}` : ''}`, async t => {
    const suite = await startSuite({ responseMode })
    t.teardown(suite.close)
    await codeReuse(() => sleep(30_000))(t, suite)
  })
