// The great table at the token endpoint: RFC 6749.
import { showRows } from '../support/protocol/show.ts'
import { rfc6749Token } from './rows/rfc6749-token.ts'

showRows(rfc6749Token)
