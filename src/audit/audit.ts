// Puts the slice together: the log as it is read and exported, its checkpoints and its verification.
import type { Database } from '../platform/data/database.ts'
import { createChainMacs } from '../platform/data/event-chain.ts'
import type { Log } from '../platform/log.ts'
import type { Secrets } from '../platform/secrets.ts'
import { createAuditExport } from './audit-export.ts'
import { createAuditLog } from './audit-log.ts'
import { createChainReader } from './chain-reader.ts'
import { createCheckpointSigner } from './checkpoint.ts'
import { createCheckpointFaults } from './checkpoint-faults.ts'
import { createCheckpointList } from './checkpoint-list.ts'
import { createCheckpoints } from './checkpoints.ts'
import { createVerification } from './verification.ts'

interface Needs {
  readonly database: Database
  readonly secrets: Secrets
  readonly log: Log
  readonly now: () => Date
  readonly newUuid: () => string
}

/** Makes the services of the slice. */
export const createAudit = ({ database, secrets, ...needs }: Needs) => {
  const macs = createChainMacs(secrets)
  const reader = createChainReader(database)
  const signer = createCheckpointSigner(secrets)
  return {
    auditLog: createAuditLog(database),
    auditExport: createAuditExport(database),
    checkpoints: createCheckpoints({ ...needs, database, reader, signer, macs }),
    checkpointList: createCheckpointList(database),
    verification: createVerification({ reader, signer, macs, checkpointFaults: createCheckpointFaults({ database, signer }) }),
  }
}
