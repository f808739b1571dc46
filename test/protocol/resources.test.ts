// The great table of resources, assertions, introspection and revocation: RFC 8707, RFC 7523, RFC 7662, RFC 7009.
import { showRows } from '../support/protocol/show.ts'
import { resources } from './rows/resources.ts'

showRows(resources)
