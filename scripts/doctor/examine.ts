// Looks at the facts with every check, and hears what the server itself would say of its settings.
import { ConfigError, readConfig } from '../../src/config.ts'
import type { Check, Finding } from './check.ts'
import { collectorChecks } from './checks/collector.ts'
import { databaseChecks } from './checks/database.ts'
import { issuerChecks } from './checks/issuer.ts'
import { keptChecks } from './checks/kept.ts'
import { machineChecks } from './checks/machine.ts'
import { mailChecks } from './checks/mail.ts'
import { proxyChecks } from './checks/proxy.ts'
import { redisChecks } from './checks/redis.ts'
import { secretChecks } from './checks/secrets.ts'
import { settingChecks } from './checks/settings.ts'
import { tlsChecks } from './checks/tls.ts'
import type { Environment, Facts, Found } from './facts.ts'
import { settingsOf } from './settings.ts'

/** All checks. */
export const checks: readonly Check[] = [
  ...secretChecks,
  ...settingChecks,
  ...issuerChecks,
  ...proxyChecks,
  ...databaseChecks,
  ...keptChecks,
  ...redisChecks,
  ...mailChecks,
  ...collectorChecks,
  ...machineChecks,
  ...tlsChecks,
]

/** Answers what is wrong, worst first. A setting that the server refuses and no check speaks of is told in the server's own words. */
export const examine = (environment: Environment, found: Found): Finding[] => {
  const facts: Facts = { ...found, environment, settings: settingsOf(environment) }
  const judged = new Set<string>()
  const findings = checks.flatMap(({ look, settings = [], ...check }): Finding[] => {
    const what = look(facts)
    if (!what) return []
    for (const setting of settings) judged.add(setting)
    return [{ ...check, what }]
  })
  const refused = faultsOf(environment).filter(fault => !judged.has(fault.split(/[ .]/, 1)[0] ?? ''))
  return [...refused.map(told), ...findings].sort((one, other) => Number(one.level === 'warning') - Number(other.level === 'warning'))
}

const told = (fault: string): Finding => ({
  code: 'setting_refused',
  level: 'wrong',
  what: `${fault}.`,
  why: 'The server does not start with it.',
  mend: 'Write it as .env.example says.',
})

const faultsOf = (environment: Environment): readonly string[] => {
  try {
    readConfig(environment)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
}
