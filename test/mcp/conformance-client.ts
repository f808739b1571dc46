// node conformance-client.ts URL     the test's MCP client as the conformance suite runs it, against the suite's own servers.
import { createMcpClient, type McpClientGiven } from './client.ts'

const url = process.argv.at(-1) ?? ''
const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}') as { client_id?: string; client_secret?: string }
const registered = context.client_id === undefined ? {} : { registered: { client_id: context.client_id, client_secret: context.client_secret } }

// Its authorization servers ask nobody: they send straight back.
const visit: McpClientGiven['visit'] = async address => {
  const { headers, status } = await fetch(address, { redirect: 'manual' })
  const location = headers.get('location')
  if (location === null) throw new Error(`nobody is sent back: ${status}`)
  return new URL(location)
}

const client = createMcpClient({
  url,
  redirectUri: 'http://localhost:3000/callback',
  documentUrl: 'https://conformance-test.local/client-metadata.json',
  visit,
  ...registered,
})
await client.connect()
const { result } = (await client.call('tools/list')) as { result?: { tools?: { name: string }[] } }
for (const { name } of result?.tools ?? []) await client.call('tools/call', { name, arguments: {} })
