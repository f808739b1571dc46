// What operators are given: the image, compose, the chart, the units, the package. Read as they stand; the chart is rendered where there is a helm.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Ajv } from 'ajv'
import test from 'ava'
import { parse, parseAllDocuments } from 'yaml'
import { asStarted } from '../../scripts/bench/as-started.ts'
import { commands } from '../../scripts/commands.ts'
import { readConfig, settingNames } from '../../src/config.ts'

const root = new URL('../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')
const pack = JSON.parse(read('package.json'))
const chart = 'docs/helm/authy2'

test('the image follows the rules of images', t => {
  const lines = read('Dockerfile')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter(line => /^[A-Z]+ /.test(line))
  const of = (word: string) => lines.filter(line => line.startsWith(`${word} `)).map(line => line.slice(word.length + 1))
  t.deepEqual(of('ADD'), [])
  // Each stage begins with the Node that the tests run on, by its full version.
  for (const from of of('FROM')) t.regex(from, new RegExp(`^node:${pack.devDependencies.node}-bookworm-slim( AS [a-z]+)?$`))
  t.deepEqual(of('USER'), ['10001:10001'])
  t.deepEqual(of('STOPSIGNAL'), ['SIGTERM'])
  for (const word of ['ENTRYPOINT', 'CMD']) t.regex(of(word)[0] ?? '', /^\[".*"\]$/, word)
  t.regex(of('HEALTHCHECK')[0] ?? '', /CMD \["node", "dist\/scripts\/authy2\.js", "health"\]$/)
  t.true(of('RUN').includes('npm ci --omit=dev --omit=optional --omit=peer --ignore-scripts'))
  t.notRegex(lines.join('\n'), /curl|wget|sudo|apt-get|:latest/)
  const final = lines.slice(lines.findLastIndex(line => line.startsWith('FROM ')))
  t.deepEqual(
    final.filter(line => line.startsWith('COPY ')).map(line => /--from=(\w+) \/app\/(\S+)/.exec(line)?.slice(1)),
    [
      ['dependencies', 'node_modules'],
      ['build', 'package.json'],
      ['build', 'dist'],
    ],
  )
  t.true(lines.indexOf('USER 10001:10001') > lines.findLastIndex(line => /^(RUN|COPY) /.test(line)))
})

test('nothing goes to the builder but what the image is made of', t => {
  const [first, ...rest] = read('.dockerignore')
    .split('\n')
    .filter(line => line && !line.startsWith('#'))
  t.is(first, '*')
  const sent = rest.filter(line => line.startsWith('!')).map(line => line.slice(1))
  t.deepEqual(sent.toSorted(), ['.npmrc', 'package-lock.json', 'package.json', 'prisma', 'scripts', 'src', 'views'])
})

interface Composed {
  readonly services: Record<string, Record<string, unknown> & { environment: Record<string, string>; depends_on?: Record<string, { condition: string }> }>
}

test('compose starts it in order, and lets nothing do more than it needs', t => {
  const { services } = parse(read('compose.yaml'), { merge: true }) as Composed
  t.deepEqual(Object.keys(services).toSorted(), ['migrate', 'postgres', 'redis', 'server', 'worker'])
  for (const [name, service] of Object.entries(services)) {
    t.is(service.read_only, true, name)
    t.deepEqual(service.cap_drop, ['ALL'], name)
    t.deepEqual(service.security_opt, ['no-new-privileges:true'], name)
    t.notRegex(String(service.image), /:latest$/)
    t.truthy(service.healthcheck, name)
  }
  t.deepEqual(services.migrate?.command, ['migrate'])
  t.deepEqual(services.worker?.command, ['worker'])
  t.is(services.server?.depends_on?.migrate?.condition, 'service_completed_successfully')
  t.is(services.migrate?.depends_on?.postgres?.condition, 'service_healthy')
  // The role of the server is not the superuser, whom the image makes.
  t.deepEqual(Object.keys(services.postgres?.environment ?? {}), ['POSTGRES_PASSWORD'])
  t.regex([services.postgres?.volumes].flat().join(' '), /\.\/docs\/compose\/role\.sql:\/docker-entrypoint-initdb\.d\/role\.sql:ro/)
  t.regex(services.server?.environment.DATABASE_URL ?? '', /^postgresql:\/\/authy2:.*\/authy2$/)
  const redis = [services.redis?.command].flat().join(' ')
  t.regex(redis, /--appendonly yes --maxmemory-policy noeviction --requirepass /)
  for (const name of ['migrate', 'server', 'worker'])
    t.deepEqual(
      Object.keys(services[name]?.environment ?? {}).filter(setting => !settingNames.includes(setting)),
      [],
      name,
    )
})

// What stands for itself: where the server listens and keeps things, what production refuses, and files that are not in the container.
const notPassed = ['NODE_ENV', 'PORT', 'HOST', 'DATABASE_URL', 'REDIS_URL', 'DATA_DIR', 'RUN_JOBS', 'SEED_DEMO']
const files = ['TLS_CERT_FILE', 'TLS_KEY_FILE', 'TLS_CLIENT_CA_FILE']

test('compose passes every setting on, and starts with those that it asks for alone', t => {
  const { services } = parse(read('compose.yaml'), { merge: true }) as Composed
  const environment = services.server?.environment ?? {}
  const settings = [...read('.env.example').matchAll(/^([A-Z][A-Z0-9_]*)=/gm)].map(([, name = '']) => name)
  t.true(settings.length > 40)
  t.deepEqual(
    settings.filter(name => !environment[name]?.startsWith(`\${${name}:`)),
    settings.filter(name => [...notPassed, ...files].includes(name)),
  )
  const asked: Record<string, string> = { ISSUER: 'https://id.example.com', SECRET_KEY: 'q7Zt0VbN3xLr8Kd5Wm2Yc9Hf4Jg6Ps1Ae0RuTiOoLlKk' }
  const filled = Object.entries(environment).map(([name, value]) => [
    name,
    value.replaceAll(/\$\{([A-Z_]+):([-?])([^}]*)\}/g, (_, setting, sign, fallback) => (sign === '-' ? fallback : (asked[setting] ?? 'letters1'))),
  ])
  t.like(readConfig(Object.fromEntries(filled)), { environment: 'production', areJobsRunHere: false, host: '0.0.0.0' })
})

test('the values of the chart fit their schema, and unfit ones are refused', t => {
  const fits = new Ajv({ strict: false }).compile(JSON.parse(read(`${chart}/values.schema.json`)))
  const values = parse(read(`${chart}/values.yaml`))
  const given = { ...values, issuer: 'https://id.example.com' }
  t.true(fits(given), JSON.stringify(fits.errors))
  const unfit = [
    { issuer: '' },
    { issuer: 'http://id.example.com' },
    { issuer: 'https://id.example.com/' },
    { unknown: true },
    { settings: { SECRET_KEY: 'in the open' } },
    { settings: { TRUST_PROXY: 1 } },
    { image: { tag: 'latest' } },
    { server: { replicas: -1 } },
    { terminationGracePeriodSeconds: 10 },
  ]
  for (const change of unfit) t.false(fits({ ...given, ...change }), JSON.stringify(change))
  t.deepEqual(
    Object.keys(values.settings).filter(name => !settingNames.includes(name)),
    [],
  )
  t.is(parse(read(`${chart}/Chart.yaml`)).appVersion, pack.version)
  t.true(values.terminationGracePeriodSeconds > values.preStopSeconds + 10)
})

interface Rendered {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly spec: { readonly template: { readonly spec: { readonly securityContext: object; readonly containers: readonly Record<string, unknown>[] } } }
}

const hasHelm = spawnSync('helm', ['version']).status === 0
const whenHelm = hasHelm ? test : test.skip
whenHelm('the chart is rendered: all that can be switched on, and every pod without a right it does not need (needs helm)', t => {
  const on = ['ingress', 'autoscaling', 'networkPolicy', 'serviceMonitor'].flatMap(name => ['--set', `${name}.enabled=true`])
  const given = ['--kube-version', '1.31.0', '--set', 'issuer=https://id.example.com,existingSecret=settings', ...on]
  const { status, stdout, stderr } = spawnSync('helm', ['template', 'id', fileURLToPath(new URL(chart, root)), ...given], { encoding: 'utf8' })
  t.is(status, 0, stderr)
  const objects = parseAllDocuments(stdout).map(document => document.toJS() as Rendered)
  const kinds = new Set(objects.map(({ kind }) => kind))
  for (const kind of ['Deployment', 'Job', 'Service', 'Ingress', 'HorizontalPodAutoscaler', 'PodDisruptionBudget', 'NetworkPolicy', 'ServiceMonitor'])
    t.true(kinds.has(kind), kind)
  const told = JSON.stringify(objects.find(({ kind }) => kind === 'ServiceMonitor')?.spec)
  for (const port of ['http', 'metrics'])
    t.true(
      told.includes(
        `{"port":"${port}","path":"/metrics","interval":"30s","authorization":{"type":"Bearer","credentials":{"name":"settings","key":"METRICS_TOKEN"}}}`,
      ),
    )
  const worker = objects.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'id-worker')?.spec.template.spec.containers[0]
  t.like(worker, { ports: [{ name: 'metrics', containerPort: 3001 }], livenessProbe: { httpGet: { path: '/livez', port: 'metrics' } } })
  t.regex(JSON.stringify(worker?.env), /"HOST","value":"0\.0\.0\.0".*"METRICS_PORT","value":"3001"/)
  const pods = objects.filter(({ kind }) => kind === 'Deployment' || kind === 'Job')
  t.is(pods.length, 3)
  for (const { metadata, spec } of pods) {
    t.like(spec.template.spec.securityContext, { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } }, metadata.name)
    for (const { securityContext, resources } of spec.template.spec.containers) {
      t.deepEqual(securityContext, { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, runAsNonRoot: true, capabilities: { drop: ['ALL'] } })
      t.truthy(resources)
    }
  }
})

test('the units are hardened, and start what the package has', t => {
  for (const [unit, command] of [
    ['authy2', 'start'],
    ['authy2-worker', 'worker'],
  ] as const) {
    const lines = read(`docs/systemd/${unit}.service`).split('\n')
    for (const line of ['DynamicUser=yes', 'ProtectSystem=strict', 'NoNewPrivileges=yes', 'Restart=always', 'LimitNOFILE=65536', 'CapabilityBoundingSet='])
      t.true(lines.includes(line), `${unit}: ${line}`)
    t.true(lines.includes(`ExecStart=/usr/bin/env authy2 ${command}`))
    t.true(lines.includes(`StateDirectory=${unit}`))
    t.is(lines.includes('ExecReload=/bin/kill -HUP $MAINPID'), unit === 'authy2')
  }
})

test('however it is started, malloc and V8 are set alike', t => {
  const inUnits = Object.entries(asStarted).map(([name, value]) => `${name}=${value}`)
  for (const path of ['Dockerfile', 'docs/systemd/authy2.service', 'docs/systemd/authy2-worker.service'])
    t.true(read(path).includes(` ${inUnits.join(' ')}\n`), path)
  // Who starts it by npm may have set them otherwise; of V8's options the last one holds.
  const { NODE_OPTIONS, ...ofMalloc } = asStarted
  const inScripts = [...Object.entries(ofMalloc).map(([name, value]) => `${name}=\${${name}:-${value}}`), `NODE_OPTIONS="${NODE_OPTIONS} $NODE_OPTIONS"`].join(
    ' ',
  )
  for (const name of ['start', 'worker']) t.true(pack.scripts[name].startsWith(`${inScripts} exec node `), name)
})

test('the package has its program, its commands and no script that installing would run', t => {
  t.deepEqual(pack.bin, { authy2: 'dist/scripts/authy2.js' })
  t.deepEqual(pack.files.slice(0, 2), ['dist', '.env.example'])
  // What the README links to is there, but for the sources.
  const linked = [...read('README.md').matchAll(/\]\(([\w.-]+(?:\/[\w.-]+)*)[#)]/g)].map(([, path = '']) => path).filter(path => !/^(src|views)\//.test(path))
  const isPacked = (path: string) => path === 'LICENSE' || pack.files.some((one: string) => path === one || path.startsWith(`${one}/`))
  t.true(linked.length > 10)
  t.deepEqual(
    linked.filter(path => !isPacked(path)),
    [],
  )
  t.deepEqual(
    Object.keys(pack.scripts).filter(name => /^(pre|post)?install$/.test(name)),
    [],
  )
  t.regex(pack.scripts.prepack, /scripts\/build\.ts$/)
  const scripts = readdirSync(new URL('scripts', root))
  for (const [command, script] of Object.entries(commands)) {
    if (!script.includes('/')) t.true(scripts.includes(`${script}.ts`), command)
    // Each is an npm script of the repository too, but that containers alone ask for.
    if (command !== 'health') t.truthy(pack.scripts[command === 'migrate' ? 'db:migrate' : command], command)
  }
})

test('what an operator can do in the repository, the program of the package and the image do too', t => {
  const forDevelopers = [
    'dev',
    'demo',
    'test',
    'check',
    'fix',
    'bench',
    // Needs a compiler, and changes node_modules: it is for who installs from the repository.
    'argon2:native',
    'screenshots',
    'openapi',
    'db:seed',
    'db:generate',
    'db:create-migration',
    'db:check',
    'db:studio',
  ]
  const isForDevelopers = (name: string) => [...forDevelopers, 'prepare', 'prepack'].includes(name) || /^(test|openapi):/.test(name)
  const forOperators = Object.keys(pack.scripts).filter(name => !isForDevelopers(name))
  t.deepEqual(
    forOperators.map(name => (name === 'db:migrate' ? 'migrate' : name)).sort(),
    Object.keys(commands)
      .filter(name => name !== 'health')
      .sort(),
  )
  const { stdout } = spawnSync(process.execPath, [fileURLToPath(new URL('scripts/authy2.ts', root)), '--help'], { encoding: 'utf8' })
  for (const command of Object.keys(commands)) t.regex(stdout, new RegExp(`\\b${command}\\b`))
})
