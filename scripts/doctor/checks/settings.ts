// Checks of the settings by themselves: names, places, and how far doors are opened.
import ipaddr from 'ipaddr.js'
import { settingNames } from '../../../src/config.ts'
import type { Check } from '../check.ts'
import { isLoopback, listOf } from '../settings.ts'
import { misspelt } from '../spelling.ts'

const guarded = ['127.0.0.1', '::1', '169.254.169.254', '0.0.0.0']
const widest = { ipv4: 8, ipv6: 32 }

export const settingChecks: readonly Check[] = [
  {
    code: 'setting_misspelt',
    level: 'warning',
    why: 'A name that is no setting says nothing: the default holds, silently.',
    mend: 'Write it as .env.example does, or take it out of the environment.',
    look: ({ environment }) => {
      const found = misspelt(Object.keys(environment), settingNames).map(({ name, meant }) => `${name} (${meant}?)`)
      return found.length > 0 && `The environment has ${found.join(', ')}.`
    },
  },
  {
    code: 'environment_not_production',
    level: 'warning',
    why: 'Outside production weak settings pass, mail is kept in a file that anybody reads at /dev/mail, and errors tell more.',
    mend: 'Set NODE_ENV=production.',
    look: ({ settings: { isProduction, issuer } }) =>
      !isProduction && issuer?.protocol === 'https:' && !isLoopback(issuer.hostname) && `NODE_ENV is not production, and ISSUER is ${issuer.origin}.`,
  },
  {
    code: 'demo_seeded',
    level: 'wrong',
    settings: ['SEED_DEMO'],
    why: 'Everybody knows the passwords of the demo accounts; production does not start with it.',
    mend: 'Take SEED_DEMO out of the environment.',
    look: ({ environment: { SEED_DEMO: seed }, settings }) => settings.isProduction && (seed === 'true' || seed === '1') && 'SEED_DEMO is on in production.',
  },
  {
    code: 'cors_everybody',
    level: 'wrong',
    settings: ['CORS_ORIGINS'],
    why: 'A page of anybody could call the management API out of the browser of whoever visits it.',
    mend: 'List the origins of your own pages, such as https://app.example.com, or leave CORS_ORIGINS empty.',
    look: ({ environment }) => listOf(environment.CORS_ORIGINS).some(one => one.includes('*') || one === 'null') && 'CORS_ORIGINS lets any origin in.',
  },
  {
    code: 'cors_odd',
    level: 'warning',
    settings: ['CORS_ORIGINS'],
    why: 'What is served over http can be changed on its way, and then calls the management API.',
    mend: 'Take out of CORS_ORIGINS what is http, or on the machine of whoever visits.',
    look: ({ environment, settings: { isProduction } }) => {
      const odd = listOf(environment.CORS_ORIGINS).filter(one => one.startsWith('http://'))
      return isProduction && odd.length > 0 && `CORS_ORIGINS lets in ${odd.join(', ')}.`
    },
  },
  {
    code: 'outbound_wide',
    level: 'wrong',
    why: 'Whoever may name an address to fetch (a logo, keys, a provider) reaches this machine, the cloud’s credentials or the whole network by it.',
    mend: 'List in OUTBOUND_ALLOW the smallest blocks that hold your own providers, such as 10.20.0.0/24.',
    look: ({ environment }) => {
      const wide = listOf(environment.OUTBOUND_ALLOW).filter(isWide)
      return wide.length > 0 && `OUTBOUND_ALLOW opens ${wide.join(', ')}.`
    },
  },
  {
    code: 'keys_unrotated',
    level: 'warning',
    why: 'The longer a key signs, the more a copy of it is worth, and nobody is reminded to replace it.',
    mend: 'Leave KEY_ROTATION_DAYS out (90), or run npm run keys:rotate (authy2 keys:rotate) by a timer of your own.',
    look: ({ environment: { KEY_ROTATION_DAYS: days } }) => Boolean(days) && Number(days) === 0 && 'KEY_ROTATION_DAYS is 0: signing keys do not rotate.',
  },
  {
    code: 'log_verbose',
    level: 'warning',
    why: 'It is slow, fills disks, and tells more about people than operations need.',
    mend: 'Set LOG_LEVEL=info.',
    look: ({ environment: { LOG_LEVEL: level }, settings }) =>
      settings.isProduction && (level === 'debug' || level === 'trace') && `LOG_LEVEL is ${level} in production.`,
  },
]

const isWide = (block: string): boolean => {
  if (!ipaddr.isValidCIDR(block)) return false
  const [network, bits] = ipaddr.parseCIDR(block)
  if (bits < widest[network.kind()]) return true
  return guarded.map(one => ipaddr.parse(one)).some(one => one.kind() === network.kind() && one.match(network, bits))
}
