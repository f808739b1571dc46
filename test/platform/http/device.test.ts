// Where a request came from, in words.
import test from 'ava'
import { deviceName, deviceOf } from '../../../src/platform/http/device.ts'

test('browser and system are told where the request tells them', t => {
  t.is(
    deviceName('Mozilla/5.0 (iPhone; CPU iPhone OS 18_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.2 Mobile/15E148 Safari/604.1'),
    'Safari on iOS',
  )
  t.deepEqual(deviceOf('Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0'), { browser: 'Firefox', system: 'Linux' })
  t.deepEqual(deviceOf('Papertrail/1.2 (Linux)'), { browser: 'Papertrail', system: 'Linux' })
})

test('a request that tells nothing, or nonsense, has no device', t => {
  for (const userAgent of [undefined, '', '-', '\u{1f4a9}'.repeat(200)]) {
    t.deepEqual(deviceOf(userAgent), {})
    t.is(deviceName(userAgent), undefined)
  }
})

test('a program that calls itself an address or a sentence is not shown as that', t => {
  for (const userAgent of ['https://evil.example/reset/1 x', 'evil.example/1 x', 'Call +1 555 0100 now, your account was stolen/1 x', '"><script>/1 x'])
    t.deepEqual(deviceOf(userAgent), {}, userAgent)
})
