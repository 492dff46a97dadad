// Talks to a running server with the clients that people use: graphql-ws and graphql-sse.
import { createClient as createWs } from 'graphql-ws'
import { createClient as createSse } from 'graphql-sse'
import { parseArgs } from 'node:util'
import { readFileSync } from 'node:fs'
import WebSocket from 'ws'

const usage = `usage: node tools/schema/conformance.mjs URL TOKEN [options]      (or ORDERGRAPH_URL, ORDERGRAPH_TOKEN)

  --subscription DOC    a subscription document, or @FILE     (or CONFORMANCE_SUBSCRIPTION; needed)
  --variables JSON      its variables, or @FILE               (CONFORMANCE_VARIABLES)
  --trigger DOC         a mutation, posted once a subscription is open, that makes an event happen
  --trigger-variables JSON                                    (CONFORMANCE_TRIGGER, CONFORMANCE_TRIGGER_VARIABLES)
  --query DOC           the query over WebSocket              (CONFORMANCE_QUERY; default { __typename })
  --ws URL, --sse URL   other addresses than URL
  --timeout SECONDS     for each check (default 10)

Checks: a query and a subscription over graphql-transport-ws, a subscription over SSE, both transports
refuse a bad token. In TRIGGER-VARIABLES, %n% becomes another number at each call.
`
let parsed
try {
  parsed = parseArgs({
    allowPositionals: true,
    options: Object.fromEntries([
      ...['subscription', 'variables', 'trigger', 'trigger-variables', 'query', 'ws', 'sse', 'timeout'].map((name) => [name, { type: 'string' }]),
      ['help', { type: 'boolean' }],
    ]),
  })
} catch (error) {
  console.error(`conformance: ${error.message}\n${usage}`)
  process.exit(2)
}
if (parsed.values.help) {
  process.stdout.write(usage)
  process.exit(0)
}

const setting = (name) => {
  const value = parsed.values[name] ?? process.env[`CONFORMANCE_${name.toUpperCase().replace('-', '_')}`]
  return value?.startsWith('@') ? readFileSync(value.slice(1), 'utf8') : value
}
const url = parsed.positionals[0] ?? process.env.ORDERGRAPH_URL
const token = parsed.positionals[1] ?? process.env.ORDERGRAPH_TOKEN
const subscription = setting('subscription')
if (!url || !token || !subscription) {
  console.error(`conformance: URL, TOKEN and a subscription are needed\n${usage}`)
  process.exit(2)
}
const wsUrl = parsed.values.ws ?? url.replace(/^http/, 'ws')
const sseUrl = parsed.values.sse ?? url
const variables = JSON.parse(setting('variables') ?? '{}')
const milliseconds = Number(setting('timeout') ?? 10) * 1000

let calls = 0
/** Makes an event happen; without a trigger the subscription must speak by itself. */
async function trigger() {
  const query = setting('trigger')
  if (!query) return
  const text = (setting('trigger-variables') ?? '{}').replaceAll('%n%', String(Date.now() * 100 + (calls++ % 100)))
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables: JSON.parse(text) }),
    signal: AbortSignal.timeout(milliseconds),
  })
  const { errors, data } = await response.json()
  if (errors) throw new Error(`the trigger failed: ${JSON.stringify(errors)}`)
  const refused = Object.values(data ?? {}).flatMap((payload) => payload?.userErrors ?? [])
  if (refused.length) throw new Error(`the trigger was refused: ${JSON.stringify(refused)}`)
}

const describe = (reason) =>
  reason?.code ? `closed with ${reason.code} ${reason.reason}` : Array.isArray(reason) ? JSON.stringify(reason) : String(reason?.message ?? reason)

function limit(promise, what) {
  let timer
  const late = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error(`${what} within ${milliseconds / 1000} s`)), milliseconds)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

/** The first result of an operation; an operation that ends without one fails. */
function first(client, payload, opened = () => {}) {
  let dispose
  const result = new Promise((done, fail) => {
    dispose = client.subscribe(payload, {
      next: done,
      error: (reason) => fail(new Error(describe(reason))),
      complete: () => fail(new Error('it completed without a result')),
    })
    opened(fail)
  })
  return limit(result, 'no result').finally(() => dispose())
}

function sound(result) {
  if (result.errors?.length) throw new Error(JSON.stringify(result.errors))
  if (!result.data || Object.keys(result.data).length === 0) throw new Error(`no data in ${JSON.stringify(result)}`)
}

const ws = (authorization) =>
  createWs({ url: wsUrl, webSocketImpl: WebSocket, connectionParams: { authorization }, retryAttempts: 0, lazy: true, lazyCloseTimeout: 0 })
const sse = (authorization) => createSse({ url: sseUrl, headers: { authorization }, retryAttempts: 0 })

// The client says when its socket is open, not when the server has begun to listen for events: the
// trigger is repeated until an event has come.
function firstEvent(client) {
  let timer
  return first(client, { query: subscription, variables }, (fail) => {
    let running = false
    const fire = async () => {
      if (running) return
      running = true
      try {
        await trigger()
      } catch (error) {
        fail(error)
      }
      running = false
    }
    timer = setInterval(fire, 500)
  }).finally(() => clearInterval(timer))
}

const checks = {
  'query over graphql-transport-ws': async () => {
    const client = ws(`Bearer ${token}`)
    sound(await first(client, { query: setting('query') ?? '{ __typename }' }).finally(() => client.dispose()))
  },
  'subscription over graphql-transport-ws': async () => {
    const client = ws(`Bearer ${token}`)
    sound(await firstEvent(client).finally(() => client.dispose()))
  },
  'subscription over SSE': async () => {
    const client = sse(`Bearer ${token}`)
    sound(await firstEvent(client).finally(() => client.dispose()))
  },
  'bad token is refused over graphql-transport-ws': async () => {
    const socket = new WebSocket(wsUrl, 'graphql-transport-ws')
    const outcome = new Promise((done) => {
      socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: 'Bearer not-a-token' } })))
      socket.on('message', (data) => JSON.parse(data).type === 'connection_ack' && done('acknowledged'))
      socket.on('close', (code) => done(code))
      socket.on('unexpected-response', (_, response) => done(`HTTP ${response.statusCode}`))
      socket.on('error', (error) => done(error.message))
    })
    const result = await limit(outcome, 'neither acknowledged nor refused').finally(() => socket.terminate())
    // 4403 Forbidden is the protocol's own; a refusal of the upgrade itself is as clear.
    if (![4401, 4403, 'HTTP 401', 'HTTP 403'].includes(result)) throw new Error(`the server answered: ${result}`)
  },
  'bad token is refused over SSE': async () => {
    const response = await fetch(sseUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: 'Bearer not-a-token' },
      body: JSON.stringify({ query: subscription, variables }),
      signal: AbortSignal.timeout(milliseconds),
    })
    await response.body?.cancel()
    if (![401, 403].includes(response.status)) throw new Error(`the server answered: HTTP ${response.status}`)
  },
}

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
