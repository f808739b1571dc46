// authy2 health     asks the server on this machine whether it is alive: exit code 0 or 1. For containers, which hold no curl.
import { request as plain } from 'node:http'
import { request as encrypted } from 'node:https'
import { isToRun } from '../src/arguments.ts'
import { loadEnvironmentFile } from '../src/process.ts'

const usage = `Usage: authy2 health
Exit code 0: it is alive; 1: it is not. Takes no options: the settings say where it listens.`

if (isToRun(usage)) {
  loadEnvironmentFile()
  const { PORT, HOST, TLS_CERT_FILE } = process.env
  const isEverywhere = !HOST || HOST === '0.0.0.0' || HOST === '::'
  const place = { host: isEverywhere ? 'localhost' : HOST, port: Number(PORT || 3000), path: '/livez', timeout: 2500 }
  // The certificate names the issuer, not this machine; what is asked for is nobody's secret.
  const asked = TLS_CERT_FILE ? encrypted({ ...place, rejectUnauthorized: false }) : plain(place)

  asked
    .on('response', ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1))
    .on('timeout', () => process.exit(1))
    .on('error', () => process.exit(1))
    .end()
}
