// Step Up Authentication, RFC 9470: a plain OAuth request asks how, and how long ago, its person signed in.
import { asks, family, goesWell, redirected, refused } from '../../support/protocol/row.ts'

const spec = 'RFC 9470'
const resource = 'http://localhost:4000/api/es256'
const acr = 'acr_values: the requested Authentication Context Class Reference values … defined for OAuth authorization requests'
const age = 'max_age: the allowable elapsed time in seconds since the last active authentication event'
// No OpenID Connect: the scope is the resource's alone.
const plain = (more: Readonly<Record<string, string | undefined>>) => ({ form: { scope: 'read', resource, nonce: undefined, ...more } })
const openId = 'If the openid scope value is not present, the behavior is entirely unspecified'

export const stepUp = [
  ...family({ spec, at: 'authorize' }, [
    ['§5', acr, 'acr_values comes without openid', plain({ acr_values: 'urn:authy2:acr:1' }), goesWell()],
    ['§5', acr, 'acr_values without openid asks for two factors', plain({ acr_values: 'urn:authy2:acr:2' }), asks],
    ['§5', age, 'max_age comes without openid', plain({ max_age: '1000' }), goesWell()],
    ['§5', age, 'max_age is 0 without openid', plain({ max_age: '0' }), asks],
    ['§5', age, 'max_age is 0 without openid and prompt none', plain({ max_age: '0', prompt: 'none' }), redirected('login_required')],
    ['§5', age, 'max_age without openid is no number', plain({ max_age: 'soon' }), redirected('invalid_request')],
  ]),
  ...family({ spec, at: 'authorize', client: 'dated' }, [
    ['§5', `${acr}, ${age}`, 'the client has defaults of both and asks without openid', plain({}), goesWell()],
  ]),
  ...family({ spec, at: 'push' }, [
    ['§5', acr, 'acr_values is pushed without openid', plain({ acr_values: 'urn:authy2:acr:1' }), goesWell()],
    ['§5', age, 'max_age is pushed without openid', plain({ max_age: '0' }), goesWell()],
    ['§5', age, 'max_age is pushed without openid and is no number', plain({ max_age: 'soon' }), refused('invalid_request')],
  ]),
  ...family({ spec, at: 'begin on a device', client: 'device' }, [
    ['§5', acr, 'acr_values of a device comes without openid', plain({ acr_values: 'urn:authy2:acr:1' }), goesWell()],
    ['§5', age, 'max_age of a device comes without openid', plain({ max_age: '1000' }), goesWell()],
  ]),
  ...family({ spec: 'OpenID Connect Core', at: 'authorize' }, [
    ['§3.1.2.1', openId, 'nonce comes without openid', plain({ nonce: 'one' }), redirected('invalid_request')],
    ['§3.1.2.1', openId, 'claims comes without openid', plain({ claims: '{"userinfo":{"email":null}}' }), redirected('invalid_request')],
    ['§3.1.2.1', openId, 'id_token_hint comes without openid', ({ idToken }) => plain({ id_token_hint: idToken }), redirected('invalid_request')],
  ]),
]
