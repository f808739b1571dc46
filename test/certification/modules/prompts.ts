// Modules about what the person is asked, and what the server makes of hints.
import { setTimeout as sleep } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import { createPerson } from '../../support/person.ts'
import type { Modules, Suite } from '../suite.ts'

/** A flow that only must not fail. */
const accepted = (parameters: Record<string, string> | ((suite: Suite) => Record<string, string>)) => async (t: ExecutionContext, suite: Suite) => {
  await suite.flow(t, { parameters: typeof parameters === 'function' ? parameters(suite) : parameters })
}

/** Signs in, and comes again in the same browser; the second time `parameters` go along. */
const twice = async (
  t: ExecutionContext,
  suite: Suite,
  parameters: (first: Record<string, unknown>) => Record<string, string>,
  first: Record<string, string> = {},
) => {
  const before = await suite.flow(t, { parameters: first })
  // auth_time counts whole seconds.
  await sleep(2100)
  const after = await suite.flow(t, { person: before.person, parameters: parameters(before.answer) })
  t.is(after.claims.sub, before.claims.sub)
  return { before, after }
}

const isAsked = ({ pages }: { readonly pages: readonly { readonly body: string }[] }) => pages.some(({ body }) => /name="(?:username|password)"/.test(body))

export const prompts: Modules = {
  'oidcc-display-page': accepted({ display: 'page' }),
  'oidcc-display-popup': accepted({ display: 'popup' }),
  'oidcc-prompt-login': async (t, suite) => {
    const { before, after } = await twice(t, suite, () => ({ prompt: 'login' }), { max_age: '10000' })
    t.true(isAsked(after))
    if (after.claims.auth_time !== undefined) t.not(after.claims.auth_time, before.claims.auth_time)
  },
  'oidcc-prompt-none-not-logged-in': async (t, suite) => {
    const { parameters, sent, pages } = await suite.authorize(t, { person: createPerson(), parameters: { prompt: 'none' } })
    t.deepEqual(pages, [])
    t.true(['login_required', 'interaction_required', 'consent_required', 'account_selection_required'].includes(parameters?.get('error') ?? ''))
    t.is(parameters?.get('state'), sent.get('state'))
    t.is(parameters?.get('code') ?? null, null)
  },
  'oidcc-prompt-none-logged-in': async (t, suite) => {
    const { before, after } = await twice(t, suite, () => ({ prompt: 'none' }))
    t.deepEqual(after.pages, [])
    t.is(after.claims.auth_time, before.claims.auth_time)
  },
  'oidcc-max-age-1': async (t, suite) => {
    const { before, after } = await twice(t, suite, () => ({ max_age: '1' }))
    t.true(isAsked(after))
    t.is(typeof after.claims.auth_time, 'number')
    t.true(Date.now() / 1000 - Number(after.claims.auth_time) < 60)
    if (before.claims.auth_time !== undefined) t.true(Number(after.claims.auth_time) > Number(before.claims.auth_time))
  },
  'oidcc-max-age-10000': async (t, suite) => {
    const { before, after } = await twice(t, suite, () => ({ max_age: '10000' }), { max_age: '15000' })
    t.deepEqual(after.pages, [])
    t.is(typeof after.claims.auth_time, 'number')
    t.is(after.claims.auth_time, before.claims.auth_time)
  },
  'oidcc-ensure-request-with-unknown-parameter-succeeds': accepted({ extra: 'foobar' }),
  'oidcc-id-token-hint': async (t, suite) => {
    const { before, after } = await twice(t, suite, ({ id_token }) => ({ prompt: 'none', id_token_hint: String(id_token) }))
    t.deepEqual(after.pages, [])
    t.is(after.claims.auth_time, before.claims.auth_time)
  },
  'oidcc-login-hint': accepted(({ metadata }) => ({ login_hint: `buffy@${new URL(metadata.issuer).hostname}.example` })),
  // Northern Sami, which we do not speak.
  'oidcc-ui-locales': accepted({ ui_locales: 'se' }),
  'oidcc-claims-locales': accepted({ claims_locales: 'se' }),
  'oidcc-ensure-request-with-acr-values-succeeds': accepted({ acr_values: '1 2' }),
}
