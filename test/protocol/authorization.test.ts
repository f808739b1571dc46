// The great table at the authorization endpoint: RFC 6749, RFC 7636, OpenID Connect Core.
import { showRows } from '../support/protocol/show.ts'
import { openid } from './rows/openid.ts'
import { rfc6749Authorize } from './rows/rfc6749-authorize.ts'
import { rfc7636 } from './rows/rfc7636.ts'

showRows([...rfc6749Authorize, ...rfc7636, ...openid])
