// What of a request is written down.
import test from 'ava'
import { loggablePath } from '../../../src/platform/http/request.ts'

test('neither the secret of a link nor the name of an interaction is written down', t => {
  const secret = 'GkYyE0RkUe0sTqP1vXv1mZ0y8Qb2wS3dF4gH5jK6lZ7'
  t.is(loggablePath(`/recovery/${secret}`), '/recovery/[…]')
  t.is(loggablePath(`/interaction/V1StGXR8_Z5jdHi6B-myT/code/${secret}`), '/interaction/[…]/code/[…]')
})

test('ids and the names of endpoints stay', t => {
  for (const path of ['/api/v1/users/0199f3a2-7c1b-7d3e-8f4a-5b6c7d8e9f00', '/.well-known/oauth-authorization-server', '/oauth2/backchannel-authentication'])
    t.is(loggablePath(path), path)
})
