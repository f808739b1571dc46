// What the doctor knows: the settings as they are given, and what was found where they lead. What could not be found out is absent.

/** Why a place could not be asked, without any secret. */
export interface Failure {
  /** What the system calls it, such as `ECONNREFUSED`. */
  readonly code: string
  readonly reason: string
}

/** PostgreSQL, or the embedded database of a running server. */
export interface DatabaseFacts {
  readonly failure?: Failure
  /** The embedded database is there, and no server runs that could be asked. */
  readonly isClosed?: boolean
  /** `server_version_num`: 150004 is 15.4. */
  readonly version?: number
  readonly fsync?: string
  readonly synchronousCommit?: string
  readonly fullPageWrites?: string
  readonly encoding?: string
  readonly isReadOnly?: boolean
  readonly isEncrypted?: boolean
  /** How many connections the server takes of us, those of others left out. */
  readonly roomForConnections?: number
  /** What the role may do beyond its own tables. */
  readonly powers?: readonly string[]
  /** The database's clock less ours, in seconds. */
  readonly clockAheadSeconds?: number
  readonly migrations?: MigrationFacts
  readonly keys?: KeyFacts
  readonly sealed?: SealedFacts
  readonly kept?: KeptFacts
}

/** How the migrations of the database differ from ours, by name. */
export interface MigrationFacts {
  /** No migration was ever applied: the first start does all of it. */
  readonly isEmpty: boolean
  readonly missing: readonly string[]
  readonly unknown: readonly string[]
  readonly edited: readonly string[]
  readonly unfinished: readonly string[]
}

/** The signing keys. */
export interface KeyFacts {
  /** The algorithms that have no key that signs. */
  readonly withoutCurrent: readonly string[]
  /** The algorithms that have no key published ahead. */
  readonly withoutNext: readonly string[]
  /** For how long the oldest of them signs. */
  readonly oldestDays?: number
  /** Whether SECRET_KEY opens them; absent without one. */
  readonly isOpened?: boolean
}

/** What is sealed in the tables; nothing without a SECRET_KEY. */
export interface SealedFacts {
  /** Whether SECRET_KEY, or one before it, opens all keys that outlive it. */
  readonly areLastingOpened?: boolean
  /** How many values are not sealed under the current SECRET_KEY; absent where they could not be counted in time. */
  readonly older?: number
}

/** What lies in the tables. */
export interface KeptFacts {
  /** Accounts and clients of the demo data. */
  readonly demo: readonly string[]
  readonly admins: number
  readonly adminsOfOneFactor: number
  readonly deadJobs: number
  /** For how long the oldest job that is due waits. */
  readonly overdueMinutes: number
}

/** Redis; of a cluster its first node. */
export interface RedisFacts {
  readonly failure?: Failure
  readonly version?: string
  readonly evictionPolicy?: string
  readonly isPersistent?: boolean
}

/** The issuer, as this machine sees it. */
export interface IssuerFacts {
  readonly resolves?: boolean
  /** Why its certificate is not believed. */
  readonly certificateFault?: string
  readonly certificateDays?: number
  readonly failure?: Failure
  /** What its discovery document was answered with, and which issuer stands there. */
  readonly discovery?: { readonly status: number; readonly issuer?: string }
  /** The `Date` of its answer less our clock, in seconds. */
  readonly clockAheadSeconds?: number
}

/** The mail server. */
export interface MailFacts {
  readonly failure?: Failure
  readonly isEncrypted?: boolean
  /** Whether the domain that mail is from is one that mail can be answered to. */
  readonly isDomainKnown?: boolean
}

/** The collector of traces. */
export interface CollectorFacts {
  readonly failure?: Failure
}

/** This machine and its files. */
export interface MachineFacts {
  readonly nodeVersion?: string
  readonly openFiles?: number
  /** Bytes left on the disk of DATA_DIR. */
  readonly freeBytes?: number
  readonly dataDir?: FileFacts
  readonly environmentFile?: FileFacts
  readonly tlsKey?: FileFacts
  readonly tls?: TlsFacts
}

/** The files of TLS, read as the server would read them. */
export interface TlsFacts {
  /** What the server says of them, and does not start. */
  readonly fault?: string
  /** TLS_KEY_FILE is a key, and that of another certificate. */
  readonly isKeyOther?: boolean
  /** What the certificate is for, where the issuer's host is not among it; empty when it names nothing. */
  readonly otherNames?: string
  /** For how many days the certificate of TLS_CERT_FILE is still good; negative when it is not any more. */
  readonly certificateDays?: number
}

/** A file or folder: its permission bits, and whether this user may do with it what the server does. */
export interface FileFacts {
  readonly mode: number
  readonly isUsable: boolean
}

/** What was found at each place. */
export interface Found {
  readonly machine: MachineFacts
  readonly database: DatabaseFacts
  readonly redis: RedisFacts
  readonly issuer: IssuerFacts
  readonly mail: MailFacts
  readonly collector: CollectorFacts
}

/** The environment as the server would read it. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Everything that the checks look at. */
export interface Facts extends Found {
  readonly environment: Environment
  readonly settings: Settings
}

/** The settings as far as they can be read: even where the server would refuse them. */
export interface Settings {
  readonly isProduction: boolean
  readonly issuer?: URL
  readonly databaseHost?: string
  readonly redisUrl?: string
  readonly smtp?: URL
  /** The address that mail is from. */
  readonly mailFrom: string
  readonly hasOwnTls: boolean
  readonly dataDir: string
}
