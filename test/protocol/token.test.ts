// The great table of tokens: the token endpoint, RFC 6749; resources, assertions, introspection and revocation, RFC 8707, RFC 7523, RFC 7662,
// RFC 7009; proofs of possession, and devices, RFC 9449, RFC 8628.
import { showRows } from '../support/protocol/show.ts'
import { devices, proofs, thumbprints } from './rows/proofs.ts'
import { resources } from './rows/resources.ts'
import { rfc6749Token } from './rows/rfc6749-token.ts'

showRows([...rfc6749Token, ...resources, ...proofs, ...thumbprints, ...devices])
