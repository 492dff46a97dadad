// Runs the GraphQL-over-HTTP audit of graphql-http against a running server.
//
//   node tools/schema/audit.mjs URL [TOKEN]      (or ORDERGRAPH_URL, ORDERGRAPH_TOKEN)
//
// Every one of its checks must be ok: a warning is a finding, too.
import { serverAudits } from 'graphql-http'

const url = process.argv[2] ?? process.env.ORDERGRAPH_URL
const token = process.argv[3] ?? process.env.ORDERGRAPH_TOKEN
if (!url) {
  console.error('usage: node tools/schema/audit.mjs URL [TOKEN]')
  process.exit(2)
}

// A server that hangs must not hang its judge.
const fetchFn = (input, init = {}) => {
  const headers = new Headers(init.headers)
  if (token) headers.set('authorization', `Bearer ${token}`)
  return fetch(input, { ...init, headers, signal: AbortSignal.timeout(10_000) })
}

try {
  await fetchFn(url)
} catch (error) {
  console.error(`audit: no answer from ${url}: ${error.cause?.message ?? error.message}`)
  process.exit(2)
}

const audits = serverAudits({ url, fetchFn })
const findings = []
for (const audit of audits) {
  const result = await audit.fn()
  if (result.status === 'ok') continue
  let reason = result.reason
  if (result.response && !result.response.bodyUsed) reason += ` (HTTP ${result.response.status})`
  findings.push(`  ${result.status.padEnd(6)} ${audit.id} ${audit.name}: ${reason}`)
}
if (findings.length) console.log(findings.join('\n'))
console.log(`audit: ${audits.length - findings.length} of ${audits.length} checks of GraphQL over HTTP are ok`)
process.exit(findings.length === 0 && audits.length > 0 ? 0 : 1)
