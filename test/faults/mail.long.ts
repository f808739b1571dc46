// A process is killed between the commit and the mail: the mail arrives once it is back, on either database.
import { randomUUID } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { makeDataDir } from '../support/database.ts'
import { findPostgres, startPostgres } from '../support/postgres-server.ts'
import { startProcess } from '../support/process.ts'
import { startSmtp } from '../support/smtp.ts'
import { until } from '../support/until.ts'

const folder = await findPostgres()
const when = folder === undefined ? test.skip : test.serial
const rounds = 3
const together = 4

/** Registers people and kills the process as soon as it said yes, again and again; then every one of them has their mail. */
const endure = async (t: ExecutionContext, storage: Record<string, string>) => {
  let isTaking = false
  const smtp = await startSmtp({ refuse: () => (isTaking ? undefined : 451) })
  t.teardown(smtp.close)
  const environment = { ...storage, SMTP_URL: smtp.url, API_REQUESTS_PER_MINUTE: '100000' }
  const registered: string[] = []
  const register = async (origin: string) => {
    const email = `${randomUUID()}@people.example`
    const body = JSON.stringify({ email, password: 'violet umbrella 77', full_name: 'Ida Example' })
    const { status } = await fetch(`${origin}/api/v1/auth/register`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    if (status === 201) registered.push(email)
  }
  for (let round = 0; round < rounds; round += 1) {
    const server = await startProcess(environment)
    t.teardown(() => server.kill('SIGKILL'))
    await Promise.all(Array.from({ length: together }, () => register(server.origin)))
    server.kill('SIGKILL')
    await until(() => !server.isRunning())
  }
  t.is(registered.length, rounds * together)
  isTaking = true
  const server = await startProcess(environment)
  t.teardown(() => server.stop())
  const isMailed = (email: string) => smtp.delivered.some(({ to }) => to.includes(email))
  // A job that a killed process had claimed is anybody's after half a minute; one that was refused waits a little.
  await until(() => registered.every(isMailed), 90)
  t.true(smtp.delivered.every(({ mail }) => /\d{6}/.test(mail.text ?? '')))
  t.log(`${rounds} kills, ${registered.length} registrations acknowledged, ${new Set(smtp.delivered.flatMap(({ to }) => to)).size} mailed`)
}

test.serial('no mail is lost on the embedded database', async t => {
  t.timeout(240_000)
  const { dataDir, remove } = makeDataDir()
  t.teardown(remove)
  await endure(t, { DATA_DIR: dataDir })
})

when('no mail is lost on PostgreSQL', async t => {
  t.timeout(240_000)
  const postgres = await startPostgres(folder ?? '')
  t.teardown(postgres.remove)
  await endure(t, { DATABASE_URL: postgres.url })
})
