// Tests run as they are written, each file in a process of its own; what Node makes of the source is kept between them. With a
// database of one's own those are left out that need none, or say the same on every database.
import { availableParallelism } from 'node:os'

const elsewhere = process.env.DATABASE_URL
  ? [
      '!test/{architecture,config,readme}.test.ts',
      '!test/{api,certification,http,images,interactions,mails,mcp,pages,protocol,scripts}/**',
      '!test/account/{account,both-factors,email,security}.test.ts',
      '!test/authentication/{bcrypt,foreign-hashes,gate,password,strength}.test.ts',
      '!test/connectors/{administration,claims,entitlement,github,google,handed-roles,join,kinds,microsoft,oidc*,probe,saml*,settings-connections,upstream*}.test.ts',
      '!test/flows/{ciba-errors,client-authentication,device-errors,discovery,encryption,exchange-confusion,exchange-refusals}.test.ts',
      '!test/flows/{mail-languages,rp-initiated-logout,upstream-attacks,upstream-forms,upstream-kinds}.test.ts',
      '!test/flows/{email-code,passkey-factor,prompts,recovery,registration,required-factors,upstream-sign-in}.test.ts',
      '!test/mfa/{administration,passkey-ceremonies,passkey-shapes,requirement}.test.ts',
      '!test/organizations/{search,settings}.test.ts',
      '!test/users/{import,import-bodies}.test.ts',
      '!test/oidc/{acr,engine-pages}.test.ts',
      '!test/platform/*.test.ts',
      '!test/platform/data/{embedded,lock}.test.ts',
      '!test/platform/http/{assets,client-certificate,device,form,lines,outbound,own-path,request,text,time,views}.test.ts',
    ]
  : []

export default {
  extensions: { ts: 'module' },
  files: ['test/**/*.test.ts', ...elsewhere],
  timeout: '120s',
  // Tests wait for seconds to pass, too: one more than there are processors keeps them busy.
  concurrency: Math.max(3, availableParallelism()),
  workerThreads: false,
  nodeArguments: ['--max-semi-space-size=64'],
  environmentVariables: { NODE_COMPILE_CACHE: 'node_modules/.cache/authy2/compiled' },
}
