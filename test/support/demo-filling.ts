// The signing keys and the demo data, made once for all tests: RSA keys and the hashes of passwords take most of a second.
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { HashingCost } from '../../src/authentication/password.ts'
import { readConfig } from '../../src/config.ts'
import { seedDemoData } from '../../src/demo-data.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { openSecrets } from '../../src/platform/data/lasting-keys.ts'
import { createResolveTxt } from '../../src/platform/dns.ts'
import { openLog } from '../../src/platform/log.ts'
import { createServices } from '../../src/services.ts'
import { plant } from './canaries.ts'
import type { Filling } from './database.ts'

/** Under which the databases of tests are sealed. */
export const testSecretKey = plant('test-only-0123456789-abcdefghijklmnopqrstuvwxyz')

/** What hashing a password costs in tests that are not about that: a hundredth of what it does in earnest. */
export const lightHashing: HashingCost = { memoryCost: 1024, timeCost: 1 }

/** The demo data, made anew whenever the source changes, for who knows what of it seeds. */
export const demoWith = (hashingCost?: HashingCost): Filling => ({
  get key() {
    return hashOfSource() + JSON.stringify(hashingCost)
  },
  fill: async database => {
    const resources = {
      database,
      redis: undefined,
      log: openLog('silent'),
      secrets: await openSecrets({ database, secretKey: testSecretKey, previousKeys: [], randomBytes }),
      hashingCost,
      now: () => new Date(),
      resolveTxt: createResolveTxt(),
      randomBytes,
      newId: randomUUID,
      applied: [],
      close: async () => {},
    }
    const services = createServices(resources, readConfig({ NODE_ENV: 'test', SECRET_KEY: testSecretKey }))
    await services.signingKeys.ensure(systemActor)
    await seedDemoData(services)
  },
})

const source = fileURLToPath(new URL('../../src', import.meta.url))

const hashOfSource = (): string => {
  const hash = createHash('sha256')
  for (const file of globSync('**/*.ts', { cwd: source, exclude: ['**/generated/**'] }).sort()) hash.update(file).update(readFileSync(`${source}/${file}`))
  return hash.digest('hex')
}
