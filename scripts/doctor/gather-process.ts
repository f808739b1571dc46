// Goes to every place at once and tells its parent what it found, place by place and what is known early first. A process of its own: whatever it hangs on, it can be ended.
import { gatherCollector } from './gather/collector.ts'
import { gatherDatabase } from './gather/database.ts'
import { failureOf } from './gather/failure.ts'
import { gatherIssuer } from './gather/issuer.ts'
import { gatherMachine } from './gather/machine.ts'
import { gatherMail } from './gather/mail.ts'
import { gatherRedis } from './gather/redis.ts'

const places = { machine: gatherMachine, database: gatherDatabase, redis: gatherRedis, issuer: gatherIssuer, mail: gatherMail, collector: gatherCollector }

const tell = (place: string, facts: object) => process.send?.({ place, facts })

await Promise.all(
  Object.entries(places).map(async ([place, gather]) => {
    try {
      tell(place, await gather(process.env, facts => tell(place, facts)))
    } catch (error) {
      tell(place, { failure: failureOf(error) })
    }
  }),
)
process.disconnect()
