// npm run demo:remove     takes the demo data of development away, before the database serves in production.
import { isToRun } from '../src/arguments.ts'
import { removeDemoData } from '../src/demo-kept.ts'
import { withServices } from './with-services.ts'

const usage = `Usage: npm run demo:remove
Deletes the people, clients, organizations and APIs that the demo made. Needs another administrator of the system
(npm run user:create -- you@example.com --admin). Takes no options.`

if (isToRun(usage))
  await withServices(async ({ resources, services }) => {
    const names = await removeDemoData(resources.database, services)
    console.log(names.length > 0 ? `Deleted: ${names.join(', ')}.` : 'There is no demo data.')
  })
