// Talks to a running server with the clients that people use: graphql-ws, graphql-sse, a browser's
// event source and Apollo Client's reader of multipart responses.
import { canSign, serve } from './conformance/setup.mjs'
import { checks as basics } from './conformance/basics.mjs'
import { checks as scenario } from './conformance/scenario.mjs'
import { checks as expiry } from './conformance/expiry.mjs'
import { checks as restart } from './conformance/restart.mjs'

const checks = serve ? restart : { ...basics, ...scenario, ...(canSign && expiry) }
let failures = 0
for (const [name, check] of Object.entries(checks)) {
  try {
    await check()
    console.log(`  ok    ${name}`)
  } catch (error) {
    failures += 1
    console.log(`  FAIL  ${name}: ${error.message}`)
  }
}
const count = Object.keys(checks).length
console.log(`conformance: ${count - failures} of ${count} checks passed`)
process.exit(failures === 0 ? 0 : 1)
