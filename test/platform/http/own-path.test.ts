// What is told of where to go is a path of ours, however it is written.
import test from 'ava'
import { ownPath } from '../../../src/platform/http/own-path.ts'

const issuer = 'https://id.example'

const hostile = [
  '',
  'device',
  '?a=b',
  '#x',
  'https://evil.example/',
  'https:evil.example',
  'HTTPS://EVIL.EXAMPLE/',
  'javascript:alert(1)',
  'data:text/html,x',
  '//evil.example/x',
  '///evil.example/x',
  '////evil.example/x',
  '/\\evil.example',
  '\\/evil.example',
  '\\\\evil.example',
  '/\\/evil.example',
  '/\t/evil.example',
  '/\n/evil.example',
  '/\r\n/evil.example',
  '\t//evil.example',
  ' //evil.example',
  '/\u0000/evil.example',
  '/.//evil.example',
  '/..//evil.example?a=b',
  '/./\\evil.example',
  '/..\\\\evil.example',
  '/.\\/evil.example',
  '/../..//evil.example',
  '/interaction/..//evil.example/x',
  '/interaction/../\\evil.example/x',
  '/interaction/../../..//evil.example',
  '/a/b/../..//evil.example',
  '/%2e//evil.example',
  '/%2e%2e//evil.example',
  '/%2E%2e/\\evil.example',
  '/a/%2e%2e//evil.example',
  '/a/.%2e//evil.example',
  '/.\t.//evil.example',
  '//ada@evil.example/',
  '//id.example@evil.example/',
  '/..//ada:secret@evil.example/x',
  'https://id.example@evil.example/',
  'https://ada@id.example/',
  'https://id.example/device',
  '//id.example/device',
  'http://id.example/',
  '/\u0085/evil.example',
] as const

for (const address of hostile) test(`${JSON.stringify(address)} is no path of ours`, t => t.is(ownPath(address, issuer), undefined))

for (const [address, path] of [
  ['/', '/'],
  ['/device', '/device'],
  ['/device?user_code=BCDF', '/device?user_code=BCDF'],
  ['/interaction/abc/../def', '/interaction/def'],
  ['/account/profile?done=saved#top', '/account/profile?done=saved'],
  ['/a//b', '/a//b'],
  ['/%2f/evil.example', '/%2f/evil.example'],
  ['/device?next=//evil.example', '/device?next=//evil.example'],
] as const)
  test(`${address} is ${path}`, t => t.is(ownPath(address, issuer), path))
