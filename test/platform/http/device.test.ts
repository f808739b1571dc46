// Where a request came from, in words.
import test from 'ava'
import { deviceOf } from '../../../src/platform/http/device.ts'

test('browser and system are told where the request tells them', t => {
  t.is(
    deviceOf('Mozilla/5.0 (iPhone; CPU iPhone OS 18_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.2 Mobile/15E148 Safari/604.1'),
    'Safari on iOS',
  )
  t.is(deviceOf('Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0'), 'Firefox on Linux')
})

test('a request that tells nothing, or nonsense, has no device', t => {
  for (const userAgent of [undefined, '', '-', '\u{1f4a9}'.repeat(200)]) t.is(deviceOf(userAgent), undefined)
})
