// npm run db:seed     adds the demo data of development, if it is not there yet.
import { isToRun } from '../src/arguments.ts'
import { ConfigError } from '../src/config.ts'
import { seedDemoData } from '../src/demo-data.ts'
import { withServices } from './with-services.ts'

const usage = `Usage: npm run db:seed
Adds the people, clients and organizations of the demo, whose passwords are known; not in production. Takes no options.`

if (isToRun(usage))
  await withServices(async ({ config, services }) => {
    if (config.environment === 'production') throw new ConfigError(['NODE_ENV is production, where demo data is refused: its passwords are known'])
    console.log((await seedDemoData(services)) ? 'Demo data was added.' : 'The demo data is there already.')
  })
