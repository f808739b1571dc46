// What nobody should send: values of wrong kinds, broken text, odd headers, each to stand in a request that is else sound.
import fc from 'fast-check'

const deep = (depth: number, inner: unknown = 1): unknown => (depth === 0 ? inner : [deep(depth - 1, inner)])

/** A member that is wrong in kind, size or text. */
export const wrongValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, 0, -1, 1.5, 1e308, 2 ** 53, -(2 ** 63), '', ' ', [], {}, [[]], [null], { a: { b: [] } }),
  fc.constantFrom<unknown>('\0', 'a\0b', '\ud800', '\udc00x', '\u202e\u200b', '\ufeff', 'x'.repeat(5000), '🙂'.repeat(300), 'a\r\nb: c', '%_\\', "' OR 1=1 --"),
  fc.constantFrom<unknown>(
    '__proto__',
    'constructor',
    '{{7*7}}',
    '<script>',
    '../../etc/passwd',
    '2026-13-45T99:99:99Z',
    '0001-01-01T00:00:00Z',
    '+275760-09-13T00:00:00Z',
  ),
  fc.constantFrom<unknown>(deep(50), deep(2000), Array(2000).fill(0), Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`k${at}`, at]))),
  fc.jsonValue({ maxDepth: 3 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
)

/** The name of a member that no body has, or that it should not be allowed to say. */
export const extraName = fc.constantFrom(
  ...['id', 'created_at', 'organization_id', 'system_role', 'role', 'password_hash', 'email_verified', 'deleted_at', 'user_id', 'permissions', 'isAdmin'],
  ...['__proto__', 'constructor', 'prototype', 'toString', '', '\0', 'a.b', 'a[]', '$where', 'x'.repeat(300)],
)

/** A body that is no JSON, or JSON that is no object. */
export const wrongText: fc.Arbitrary<string | Buffer> = fc.oneof(
  fc.constantFrom<string | Buffer>(
    '',
    '{',
    '{"a":',
    '[1,',
    'nul',
    '"',
    '\u0000',
    '\ufeff{}',
    '{}{}',
    '{"a":01}',
    "{'a':1}",
    '[]',
    'null',
    '"text"',
    '5',
    'true',
  ),
  fc.constantFrom<string | Buffer>(
    '{"name":"a","name":"b"}',
    '{"__proto__":{"polluted":true}}',
    '{"constructor":{"prototype":{"polluted":true}}}',
    '{"name":"\\ud800"}',
  ),
  fc.constantFrom<string | Buffer>(
    Buffer.from([0xff, 0xfe, 0x7b, 0x7d]),
    Buffer.from([0x7b, 0x22, 0xc0, 0x80, 0x22, 0x3a, 0x31, 0x7d]),
    '['.repeat(40_000),
    `{"name":"${'x'.repeat(110_000)}"}`,
  ),
  fc.string({ unit: 'binary', maxLength: 80 }).map(one => one.toWellFormed()),
)

/** A content type that is none of ours. */
export const wrongType = fc.constantFrom(
  ...['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/xml', 'application/octet-stream', 'x', '/', 'json'],
  ...[
    'application/json; charset=utf-16',
    'application/json; charset=latin1',
    'application/json;charset="utf-8"',
    'APPLICATION/JSON',
    'application/vnd.api+json',
  ],
)

/** A part of a path, percent-encoded. */
export const wrongPart = fc.oneof(
  fc.constantFrom(
    'x',
    'me',
    '%00',
    '%ff',
    '%ED%A0%80',
    '%C0%80',
    '%zz',
    '%',
    '..%2f..',
    '%2e%2e',
    '%2F',
    '*',
    '0',
    '-1',
    'null',
    'undefined',
    '%F0%9F%99%82',
    ' ',
    '%0d%0a',
    'x'.repeat(3000),
  ),
  fc.constantFrom('00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '{id}', ':id', '__proto__'),
  fc.uuid({ version: 7 }),
  fc.uuid().map(id => id.toUpperCase()),
)

/** One more pair of a query, as it stands in the address. */
export const wrongPair = fc.oneof(
  fc.constantFrom('limit=0', 'limit=101', 'limit=-1', 'limit=1e1', 'limit=', 'limit=%D9%A3', 'limit=5&limit=6', 'limit[]=5', 'limit=99999999999999999999'),
  fc.constantFrom(
    'after=',
    'after=AAAA',
    'after=%00',
    `after=${'A'.repeat(1200)}`,
    'sort=x',
    'sort=created_at&sort=-created_at',
    'unknown=1',
    '=',
    '&&',
    '%',
    '%zz=1',
  ),
  fc.constantFrom(
    'q=%FF',
    'q=%ED%A0%80',
    `q=${'x'.repeat(500)}`,
    'q=%25_%5C',
    '__proto__=1',
    '__proto__[a]=1',
    'constructor=1',
    'status=deleted',
    'from=2026',
    'organization_id=x',
  ),
  fc.tuple(extraName, fc.string({ maxLength: 20 })).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`),
)

/** One more header, or several. Values are what HTTP can carry. */
export const oddHeaders: fc.Arbitrary<Readonly<Record<string, string>>> = fc.oneof(
  fc.constantFrom('a', 'b', '"', 'x'.repeat(255), 'x'.repeat(256), 'a b', '\u00e4', '{}', '0').map(key => ({ 'idempotency-key': key })),
  fc.uuid().map(key => ({ 'idempotency-key': key })),
  fc.constantFrom('*', '"x"', 'W/"x"', 'x', '"', ',', ', ,', 'x'.repeat(4000), '@@etag:1@@').map(tag => ({ 'if-match': tag })),
  fc.constantFrom('*', '"x"', '@@etag:1@@', 'W/@@etag:1@@', ',,').map(tag => ({ 'if-none-match': tag })),
  fc
    .constantFrom('x', 'a-good-request-id', '../../etc', 'x'.repeat(128), 'x'.repeat(129), '\u00e4'.repeat(9), '{"a":1}', '<b>')
    .map(id => ({ 'x-request-id': id })),
  fc.constantFrom('text/html', 'application/xml', '*/*', '', ';', 'application/x-ndjson', 'image/*;q=0').map(accept => ({ accept })),
  fc.constantFrom('gzip', 'br', 'identity', 'x').map(coding => ({ 'content-encoding': coding })),
  fc.constantFrom<Record<string, string>>(
    { range: 'bytes=0-1' },
    { 'x-http-method-override': 'DELETE' },
    { 'x-forwarded-for': '"><script>' },
    { cookie: 'session=x; session.sig=y; __proto__=z' },
    { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
    { 'accept-language': 'x'.repeat(3000) },
    { 'user-agent': 'x'.repeat(4000) },
    { 'accept-encoding': 'gzip' },
    { 'if-modified-since': 'yesterday' },
  ),
)

/** A value of the Authorization header that opens nothing. */
export const wrongAuthorization = fc.constantFrom(
  ...[
    'Bearer',
    'Bearer ',
    'Bearer x',
    `Bearer ${'x'.repeat(9000)}`,
    'Basic Og==',
    'Digest x',
    'bearer\tx',
    `Bearer authy2_${'A'.repeat(43)}`,
    `Bearer authy2s_${'A'.repeat(43)}`,
  ],
  ...['Bearer a.b.c', 'Bearer eyJhbGciOiJub25lIn0.e30.', 'DPoP x', 'Bearer \u00e4', 'Bearer authy2_', 'Bearer authy2s_'],
)
