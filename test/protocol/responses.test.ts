// The great table of how answers come back: Form Post, JARM, RFC 9207, OpenID Connect Core §3.1.3.
import { showRows } from '../support/protocol/show.ts'
import { responses } from './rows/responses.ts'

showRows(responses)
