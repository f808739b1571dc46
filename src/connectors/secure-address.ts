// Where a provider may be: at an https address, or on this machine.
import { isLoopbackHost } from '../platform/http/loopback.ts'

/** Whether it is an address by https, or by http of this machine, that holds no credentials. */
export const isSecureAddress = (text: string): boolean => {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, username, password } = new URL(text)
  return (protocol === 'https:' || (protocol === 'http:' && isLoopbackHost(hostname))) && username === '' && password === ''
}
