// Tests run as they are written, each file in a process of its own; what Node makes of the source is kept between them. With a
// database of one's own those are left out that need none, or say the same on every database.
import { availableParallelism } from 'node:os'
import { longestFirst } from './test/support/longest-first.ts'

const elsewhere = process.env.DATABASE_URL
  ? [
      '!test/{architecture,config,processes,readme}.test.ts',
      '!test/{api,backup,certification,http,images,interactions,mails,mcp,observability,pages,protocol,scripts}/**',
      '!test/account/{account,security}.test.ts',
      '!test/audit/export.test.ts',
      '!test/authentication/{bcrypt,gate,password,password-notices,strength}.test.ts',
      '!test/clients/{administration,details-schema,resource-servers}.test.ts',
      '!test/connectors/{administration,claims,github,google,join,kinds,microsoft,oidc*,probe,saml*,settings-connections,upstream*}.test.ts',
      '!test/flows/{decoupled-errors,discovery,encryption,exchange-confusion,exchange-refusals}.test.ts',
      '!test/flows/{rp-initiated-logout,upstream-kinds}.test.ts',
      '!test/flows/{email-code,prompts,recovery,registration,required-factors,upstream-sign-in}.test.ts',
      '!test/mfa/{administration,passkey-shapes,removed-passkey}.test.ts',
      '!test/organizations/{holding,settings}.test.ts',
      '!test/users/import.test.ts',
      '!test/oidc/{acr,signed-out,signing-key-routes}.test.ts',
      '!test/platform/*.test.ts',
      '!test/platform/data/{embedded-socket,lock}.test.ts',
      '!test/platform/http/{assets,client-certificate,device,form,lines,outbound,own-path,request,text,time,views}.test.ts',
    ]
  : []

const longest = ['platform/jobs/queue', 'flows/ciba', 'flows/agents', 'account/security', 'flows/backchannel-logout', 'webhooks/webhooks']

export default {
  extensions: { ts: 'module' },
  files: ['test/**/*.test.ts', ...elsewhere],
  sortTestFiles: longestFirst(longest),
  timeout: '120s',
  // Tests wait for seconds to pass, too: three more than there are processors keep them busy.
  concurrency: Math.max(5, availableParallelism()),
  workerThreads: false,
  nodeArguments: ['--max-semi-space-size=64'],
  environmentVariables: { NODE_COMPILE_CACHE: 'node_modules/.cache/authy2/compiled' },
}
