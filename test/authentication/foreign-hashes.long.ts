// Hashes that other systems made: each kind verifies what its own tools made, and a bomb is refused before it goes off.
import { pbkdf2Sync, randomBytes, scryptSync } from 'node:crypto'
import argon2 from 'argon2'
import test from 'ava'
import { readHash } from '../../src/authentication/foreign-hashes.ts'
import { createPasswords } from '../../src/authentication/password.ts'

const passwords = createPasswords({ randomBytes })
const phrase = 'correct horse battery staple'
const faultOf = (hash: string) => {
  const read = readHash(hash)
  return 'fault' in read ? read.fault : undefined
}

// Made by the tool that stands before each: published vectors, or Python's hashlib and crypt(3).
const vectors: readonly (readonly [madeBy: string, password: string, hash: string])[] = [
  ['argon2, reference', 'password', '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'],
  ['argon2, reference', 'password', '$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc'],
  ['argon2, reference', 'password', '$argon2i$v=19$m=65536,t=1,p=1$c29tZXNhbHQ$0WgHXE2YXhPr6uVgz4uUw7XYoWxRkWtvSsLaOsEbvs8'],
  ['argon2, reference, version 16', 'password', '$argon2i$m=256,t=2,p=2$c29tZXNhbHQ$tsEVYKap1h6scGt5ovl9aLRGOqOth+AMB+KwHpDFZPs'],
  ['argon2 for Node', 'p', '$argon2d$v=19$m=8192,p=2,t=3$C1cGmriq/GwWIWw088BCyA$WPus1+Mp8GimiVwkH+OQGWH3SvfNJAGqRnKhEmh033A'],
  ['crypt_blowfish', 'U*U', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
  ['crypt_blowfish', 'U*U*', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK'],
  ['crypt_blowfish', 'U*U*U', '$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a'],
  ['crypt(3)', phrase, '$2a$10$abcdefghijklmnopqrstuuGGgFFcYeueaAql8Z7U7CnCTRw4DR77W'],
  ['crypt(3)', phrase, '$2b$10$abcdefghijklmnopqrstuuGGgFFcYeueaAql8Z7U7CnCTRw4DR77W'],
  ['crypt(3)', phrase, '$2y$10$abcdefghijklmnopqrstuuGGgFFcYeueaAql8Z7U7CnCTRw4DR77W'],
  ['crypt(3)', 'Πασσ 🙂 wörd', '$2y$05$abcdefghijklmnopqrstuu.lZjHTTqi3avbvFCuYXh7Fwy3o/pcOa'],
  [
    'RFC 7914 §12',
    'pleaseletmein',
    '$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw',
  ],
  ['RFC 7914 §12', 'password', '$scrypt$ln=10,r=8,p=16$TmFDbA$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWIurzDZLiKjiG/xCSedmDDaxyevuUqD7m2DYMvfoswGQA'],
  ['hashlib', phrase, '$scrypt$ln=14,r=8,p=5$AQIDBAUGBwgJCgsMDQ4PEA$uK5504xLsoeYuPPySke8GUfmFyS50VZIJQbH/kN6lKw'],
  ['RFC 6070', 'password', '$pbkdf2-sha1$i=4096$c2FsdA$SwB5AbdlSJq+rUnZJvch0GWkKcE'],
  ['RFC 6070', 'passwordPASSWORDpassword', '$pbkdf2-sha1$i=4096,l=25$c2FsdFNBTFRzYWx0U0FMVHNhbHRTQUxUc2FsdFNBTFRzYWx0$PS7sT+QchJuAyNg2YsDkSospGpZM8vBwOA'],
  ['passlib', 'password', '$pbkdf2$1212$OB.dtnSEXZK8U5cgxU/GYQ$y5LKPOplRmok7CZp/aqVDVg8zGI'],
  ['passlib', 'password', '$pbkdf2-sha256$1212$4vjV83LKPjQzk31VI4E0Vw$hsYF68OiOUPdDZ1Fg.fJPeq1h/gXXY7acBp9/6c.tmQ'],
  ['passlib', 'Ιωαννης', '$pbkdf2-sha256$1212$3SABFJGDtyhrQMVt1uABPw$WyaUoqCLgvz97s523nF4iuOqZNbp5Nt8do/cuaa7AiI'],
  ['passlib', 'password', '$pbkdf2-sha512$1212$RHY0Fr3IDMSVO/RSZyb5ow$eNLfBK.eVozomMr.1gYa17k9B7KIK25NOEshvhrSX.esqY3s.FvWZViXz4KoLlQI.BzY/YTNJOiKc5gBYFYGww'],
  ['hashlib', phrase, '$pbkdf2-sha256$i=29000$AQIDBAUGBwgJCgsMDQ4PEA$iRBkQ1El5j2Ll8eLrDcBT5JZZOmzYlGHf7YryTIcZ7Y'],
  ['hashlib', phrase, '$pbkdf2-sha512$i=25000$AQIDBAUGBwgJCgsMDQ4PEA$i9upswO8grD3mbcMuNBnLYioF5mgJhWFgGADX/zAHGpXQCOm/2HEPV9NTejn0Qqj5lSxwgPaxR44SwsoIdhwTg'],
  ['argon2, as Django writes it', 'password', 'argon2$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'],
  ['crypt(3), as Django writes it', phrase, 'bcrypt$$2b$10$abcdefghijklmnopqrstuuGGgFFcYeueaAql8Z7U7CnCTRw4DR77W'],
  ['hashlib, as Django writes it', phrase, 'pbkdf2_sha1$1000$NaClNaClNaCl$tp5y7YTaIxqUbCP12nQrNldLoxs='],
  ['hashlib, as Django writes it', phrase, 'pbkdf2_sha256$29000$NaClNaClNaCl$QjgizpVj8ahjNigKCl2FCkaorl84SdFZGYfp9dv3E/w='],
  [
    'hashlib, as Django writes it',
    phrase,
    'pbkdf2_sha512$25000$NaClNaClNaCl$Mjs5gQ6YjPwfEI2kp6n4Kzrimv0JXf4Su7CuL3fE90+Du72n5/gYuBswb+UXsZc2VsVwf0Htx66rvaUV6kPvxg==',
  ],
]

// Each kind stands above with a cheap hash, too: that one is tried with everything wrong.
const isDear = (hash: string) => /\$m=65536,|\$ln=14,|\$10\$/.test(hash)
const wrongFor = (password: string, hash: string) => {
  const otherCase = password.toUpperCase() === password ? password.toLowerCase() : password.toUpperCase()
  return isDear(hash) ? [`${password} `] : [`${password} `, `${password}\0`, otherCase, '']
}

test('each kind verifies what its own tool made and nothing else, and is outdated', async t => {
  for (const [madeBy, password, hash] of vectors) {
    const name = `${madeBy}: ${hash}`
    t.is(faultOf(hash), undefined, name)
    t.true(await passwords.verify(password, hash), name)
    for (const wrong of wrongFor(password, hash)) t.false(await passwords.verify(wrong, hash), `${name} ${JSON.stringify(wrong)}`)
    t.true(passwords.isOutdated(hash), name)
  }
})

test('a bcrypt hash looks at 72 bytes, as wherever it was made, and never at a NUL', async t => {
  const hash = '$2b$04$abcdefghijklmnopqrstuubzadhGtS2zEF.gu0yd0opP6cVzb.e0i'
  for (const tail of ['', 'y', ' and a long tail'.repeat(50)]) t.true(await passwords.verify(`${'x'.repeat(72)}${tail}`, hash))
  for (const other of ['x'.repeat(71), `${'x'.repeat(71)}y`, `${'x'.repeat(72)}\0`]) t.false(await passwords.verify(other, hash))
})

test('a hash of what was typed verifies in the form in which it was typed', async t => {
  const hash = '$2b$04$abcdefghijklmnopqrstuuI7yFRclOSaEB.qyoq8PfHwVk5gzdFBW'
  t.true(await passwords.verify('Zu\u0308rich cafe\u0301 1900', hash))
  t.false(await passwords.verify('Z\u00fcrich cafe 1900', hash))
})

const salt = 'c29tZXNhbHQ'
const tag = 'CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
const kept = '$2b$10$abcdefghijklmnopqrstuuGGgFFcYeueaAql8Z7U7CnCTRw4DR77W'
const refused: readonly (readonly [hash: string, reason: RegExp])[] = [
  [`$argon2id$v=19$m=2097152,t=20,p=1$${salt}$${tag}`, /^m must/],
  [`$argon2id$v=19$m=262145,t=1,p=1$${salt}$${tag}`, /^m must/],
  [`$argon2id$v=19$m=65536,t=11,p=1$${salt}$${tag}`, /^t must/],
  [`$argon2id$v=19$m=262144,t=3,p=1$${salt}$${tag}`, /^m·t must/],
  [`$argon2id$v=19$m=65536,t=1,p=5$${salt}$${tag}`, /^p must/],
  [`$argon2id$v=19$m=65536,t=0,p=1$${salt}$${tag}`, /^t must/],
  [`$argon2id$v=19$m=7,t=1,p=1$${salt}$${tag}`, /^m must/],
  [`$argon2id$v=19$m=65536,t=1,p=1$c29t$${tag}`, /salt/],
  [`$argon2id$v=19$m=65536,t=1,p=1$${salt}$CTFhFdXP`, /length of the hash/],
  [`$argon2id$v=19$m=65536,t=1,p=1$${salt}$${'A'.repeat(400)}`, /length of the hash/],
  ...['$argon2id$', `$argon2id$v=18$m=65536,t=1,p=1$${salt}$${tag}`, `$argon2x$v=19$m=65536,t=1,p=1$${salt}$${tag}`].map(
    hash => [hash, /argon2 hash/] as const,
  ),
  [`$argon2id$v=19$m=65536,t=1,p=1,data=AAAA$${salt}$${tag}`, /argon2 hash/],
  [`$argon2id$v=19$m=65536,m=1,t=1,p=1$${salt}$${tag}`, /must be between/],
  [`$argon2id$v=19$m=65536,t=1,p=1$${salt}=$${tag}`, /argon2 hash/],
  [`$argon2id$v=19$m=65536,t=1,p=1$${salt}$${tag}$x`, /argon2 hash/],
  [kept.replace('$10$', '$31$'), /^the cost/],
  [kept.replace('$10$', '$15$'), /^the cost/],
  [kept.replace('$10$', '$03$'), /^the cost/],
  [kept.replace('$10$', '$99$'), /^the cost/],
  ...[kept.replace('$2b', '$2x'), kept.replace('$2b', '$2'), kept.slice(0, -1), `${kept}x`, `${kept}\n`, `${kept}\0`].map(
    hash => [hash, /bcrypt hash/] as const,
  ),
  [`$scrypt$ln=17,r=1,p=1$${salt}$${tag}`, /^ln must/],
  [`$scrypt$ln=16,r=1,p=1$${salt}$${tag}`, /^ln must/],
  [`$scrypt$ln=1,r=0,p=1$${salt}$${tag}`, /^r must/],
  [`$scrypt$ln=21,r=8,p=1$${salt}$${tag}`, /^the memory/],
  [`$scrypt$ln=18,r=8,p=1$${salt}$${tag}`, /^the memory times p/],
  [`$scrypt$ln=18,r=8,p=16$${salt}$${tag}`, /^the memory times p/],
  [`$scrypt$ln=60,r=8,p=1$${salt}$${tag}`, /^ln must/],
  [`$scrypt$ln=4294967295,r=4294967295,p=4294967295$${salt}$${tag}`, /^r must/],
  [`$scrypt$ln=14,r=8,p=17$${salt}$${tag}`, /^p must/],
  [`$scrypt$ln=14,r=8$${salt}$${tag}`, /^p must/],
  [`$scrypt$ln=14,r=8,p=1$$${tag}`, /scrypt hash/],
  [`$pbkdf2-sha256$i=1500001$${salt}$${tag}`, /^the number of iterations must/],
  [`$pbkdf2-sha512$i=1000001$${salt}$${tag}`, /^the number of iterations must/],
  [`$pbkdf2-sha1$i=1500000$${salt}$${tag}`, /^the number of iterations times blocks/],
  [`$pbkdf2-sha256$i=999$${salt}$${tag}`, /^the number of iterations/],
  [`$pbkdf2-sha256$i=29000,l=31$${salt}$${tag}`, /PBKDF2 hash/],
  [`$pbkdf2-md5$i=29000$${salt}$${tag}`, /PBKDF2 hash/],
  ['pbkdf2_sha256$260000$$QjgizpVj8ahjNigKCl2FCkaorl84SdFZGYfp9dv3E/w=', /PBKDF2 hash/],
  ['pbkdf2_sha256$99999999999$NaCl$QjgizpVj8ahjNigKCl2FCkaorl84SdFZGYfp9dv3E/w=', /PBKDF2 hash/],
  ...['', ' ', 'x', 'password', '5f4dcc3b5aa765d61d8327deb882cf99', '$1$abc$def', '$6$abc$def', '\0', ` ${kept}`, 'bcrypt_sha256$$2b$10$x'].map(
    hash => [hash, /no kind/] as const,
  ),
  [`$2b$10$${'a'.repeat(100_000)}`, /longer than/],
  [`$argon2id$${'m=1,'.repeat(100)}`, /argon2 hash/],
]

test('what is malformed or would take too long is refused with its reason, and never verifies', async t => {
  for (const [hash, reason] of refused) {
    t.regex(faultOf(hash) ?? 'taken', reason, hash.slice(0, 100))
    t.false(await passwords.verify('x', hash))
    t.true(passwords.isOutdated(hash))
  }
})

test('the slowest hashes that are taken leave the event loop to others', async t => {
  const slowest = [
    '$2b$14$abcdefghijklmnopqrstuuGGgFFcYeueaAql8Z7U7CnCTRw4DR77W',
    `$argon2id$v=19$m=262144,t=2,p=1$${salt}$${tag}`,
    `$scrypt$ln=17,r=12,p=1$${salt}$${tag}`,
    `$pbkdf2-sha512$i=1000000$${salt}$${tag}`,
  ]
  const passwordsOfIt = createPasswords({ randomBytes })
  await passwordsOfIt.verify('x', kept)
  for (const hash of slowest) {
    let turns = 0
    const timer = setInterval(() => {
      turns += 1
    }, 5)
    const startedAt = performance.now()
    t.false(await passwordsOfIt.verify('x', hash))
    clearInterval(timer)
    t.log(`${hash.slice(0, 30)}: ${Math.round(performance.now() - startedAt)} ms, ${turns} turns of the event loop`)
    t.true(turns > 10, hash)
  }
})

const phc = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '')

/** Hashes at the edges of what is taken, as cheap as they are. */
const edges = async () => {
  const hashes: string[] = []
  for (const [length, saltLength] of [
    [16, 8],
    [64, 64],
  ] as const) {
    const bytes = randomBytes(saltLength)
    for (const [ln, r, p] of [
      [1, 1, 1],
      [15, 1, 1],
      [1, 32, 16],
      [10, 2, 16],
      [14, 4, 1],
    ] as const)
      hashes.push(`$scrypt$ln=${ln},r=${r},p=${p}$${phc(bytes)}$${phc(scryptSync(phrase, bytes, length, { N: 2 ** ln, r, p, maxmem: 2 ** 28 }))}`)
    for (const digest of ['sha1', 'sha256', 'sha512'])
      hashes.push(`$pbkdf2-${digest}$i=1000$${phc(bytes)}$${phc(pbkdf2Sync(phrase, bytes, 1000, length, digest))}`)
    for (const type of [argon2.argon2d, argon2.argon2i, argon2.argon2id] as const)
      for (const [memoryCost, timeCost, parallelism] of [
        [8, 1, 1],
        [32, 10, 4],
        [24, 1, 3],
      ] as const)
        hashes.push(await argon2.hash(phrase, { type, memoryCost, timeCost, parallelism, hashLength: length, salt: bytes }))
  }
  return hashes
}

test('whatever parameters are taken can be verified with', async t => {
  const hashes = await edges()
  for (const hash of hashes) {
    t.is(faultOf(hash), undefined, hash)
    t.true(await passwords.verify(phrase, hash), hash)
    t.false(await passwords.verify('x', hash), hash)
  }
  t.is(hashes.length, 34)
})
