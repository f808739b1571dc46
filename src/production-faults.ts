// What production refuses of settings that are well-formed, and good enough for development.
import { isLoopbackHost } from './platform/http/loopback.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** One sentence for each setting that production does not start with. */
export const productionFaults = (environment: Environment): string[] => {
  const faults: string[] = []
  for (const name of ['ISSUER', 'DATABASE_URL', 'REDIS_URL', 'SECRET_KEY']) if (!environment[name]) faults.push(`${name} is required in production`)
  const issuer = environment.ISSUER
  if (issuer && URL.canParse(issuer)) {
    const url = new URL(issuer)
    if (url.protocol !== 'https:' && !isLoopbackHost(url.hostname)) faults.push('ISSUER must be https in production (http is for loopback addresses only)')
  }
  const methods = environment.SIGN_IN_METHODS
  if (methods && !methods.includes('password') && !environment.SMTP_URL) faults.push('SIGN_IN_METHODS without password needs SMTP_URL')
  if (isLedToMaintenance(environment))
    faults.push('DATABASE_URL names no database, and that of the user postgres is the one that PostgreSQL keeps for itself: put the name behind the host')
  const secretKey = environment.SECRET_KEY
  if (secretKey && isWeak(secretKey)) faults.push('SECRET_KEY is too weak: make one with `openssl rand -base64 48`')
  if (environment.SEED_DEMO === 'true' || environment.SEED_DEMO === '1')
    faults.push('SEED_DEMO makes accounts with known passwords and is refused in production')
  return faults
}

// As libpq does, the driver takes PGDATABASE, else the database that is called as the user, where the address names none.
const isLedToMaintenance = ({ DATABASE_URL: url, PGDATABASE, PGUSER }: Environment): boolean => {
  const address = url ? URL.parse(url) : null
  return address !== null && address.pathname.length <= 1 && !PGDATABASE && (address.username || PGUSER) === 'postgres'
}

// Not an entropy estimate: it stops words, repetitions and placeholders.
const isWeak = (secretKey: string) => new Set(secretKey).size < 12 || /change[-_ ]?me|secret[-_ ]?key|example|password/i.test(secretKey)
