// The great table of pushed and signed requests: RFC 9126, RFC 9101.
import { showRows } from '../support/protocol/show.ts'
import { requests } from './rows/requests.ts'

showRows(requests)
