// The great table of proofs of possession, and of devices: RFC 9449, RFC 8628.
import { showRows } from '../support/protocol/show.ts'
import { devices, proofs, thumbprints } from './rows/proofs.ts'

showRows([...proofs, ...thumbprints, ...devices])
