// The great table at the authorization endpoint, of what is asked there and how answers come back: RFC 6749, RFC 7636, OpenID Connect Core; requests
// that are pushed or signed, RFC 9126, RFC 9101; Form Post, JARM, RFC 9207;
// RFC 9470.
import { showRows } from '../support/protocol/show.ts'
import { openid } from './rows/openid.ts'
import { requests } from './rows/requests.ts'
import { responses } from './rows/responses.ts'
import { rfc6749Authorize } from './rows/rfc6749-authorize.ts'
import { rfc7636 } from './rows/rfc7636.ts'
import { stepUp } from './rows/step-up.ts'

showRows([...rfc6749Authorize, ...rfc7636, ...openid, ...requests, ...responses, ...stepUp])
