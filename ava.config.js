// Tests run as they are written, each file in a process of its own; what Node makes of the source is kept between them. With a
// database of one's own those that need none, and take long, are left out.
const elsewhere = process.env.DATABASE_URL
  ? [
      '!test/{architecture,config}.test.ts',
      '!test/protocol/**',
      '!test/certification/**',
      '!test/flows/{ciba-errors,device-errors,discovery,encryption,exchange-confusion,exchange-refusals,mail-languages,rp-initiated-logout,upstream-attacks,upstream-forms}.test.ts',
      '!test/authentication/{bcrypt,foreign-hashes,gate,password,strength}.test.ts',
      '!test/connectors/{claims,github,google,join,kinds,microsoft,oidc*,saml-attacks,saml-canonical,saml-metadata,saml-person,saml-proof,upstream-answers}.test.ts',
      '!test/http/{addresses,bodies,headers,malformed}.test.ts',
      '!test/interactions/words.test.ts',
      '!test/mfa/passkey-ceremonies.test.ts',
      '!test/oidc/acr.test.ts',
      '!test/platform/{branding,catalogue,language-ranges,mail,secrets,slices,uuid}.test.ts',
      '!test/platform/data/{embedded,lock}.test.ts',
      '!test/platform/http/{assets,device,form,lines,outbound,own-path,request,text,time,views}.test.ts',
      '!test/scripts/arguments.test.ts',
    ]
  : []

export default {
  extensions: { ts: 'module' },
  files: ['test/**/*.test.ts', ...elsewhere],
  timeout: '120s',
  workerThreads: false,
  nodeArguments: ['--max-semi-space-size=64'],
  environmentVariables: { NODE_COMPILE_CACHE: 'node_modules/.cache/authy2/compiled' },
}
