// npm run db:seed     adds the demo data of development, if it is not there yet.
import { seedDemoData } from '../src/demo-data.ts'
import { withServices } from './with-services.ts'

await withServices(async ({ config, services }) => {
  if (config.environment === 'production') throw new Error('Demo data has known passwords and is refused in production.')
  console.log((await seedDemoData(services)) ? 'Demo data was added.' : 'The demo data is there already.')
})
