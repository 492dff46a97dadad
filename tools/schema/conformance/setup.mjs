// What all checks share: where the server is, what to subscribe to and how to make it happen.
import { createHmac } from 'node:crypto'
import { connect, createServer } from 'node:net'
import { parseArgs } from 'node:util'
import { readFileSync } from 'node:fs'

const usage = `usage: node tools/schema/conformance.mjs URL TOKEN [options]      (or ORDERGRAPH_URL, ORDERGRAPH_TOKEN)

  --subscription DOC    a subscription document, or @FILE     (or CONFORMANCE_SUBSCRIPTION; needed)
                        with a variable $after: the cursor to go on behind
  --variables JSON      its other variables, or @FILE         (CONFORMANCE_VARIABLES)
  --trigger DOC         a mutation, posted once a subscription is open, that makes an event happen (needed)
  --trigger-variables JSON                                    (CONFORMANCE_TRIGGER, CONFORMANCE_TRIGGER_VARIABLES)
  --query DOC           the query over WebSocket              (CONFORMANCE_QUERY; default { __typename })
  --ws URL, --sse URL   other addresses than URL
  --key FILE            secret that tokens are signed with, for tokens that end soon; without it the
                        checks that need some are left out
  --serve JSON          the words of a command that starts such a server, which is given --listen ADDR:PORT and
                        prints its address: checks that clients come back after a restart, and nothing else
  --timeout SECONDS     for each step (default 10)

In TRIGGER-VARIABLES, %n% becomes another number at each call.
`

const names = ['subscription', 'variables', 'trigger', 'trigger-variables', 'query', 'ws', 'sse', 'key', 'serve', 'timeout']

function refuse(message) {
  console.error(`conformance: ${message}\n${usage}`)
  process.exit(2)
}

let parsed
try {
  parsed = parseArgs({
    allowPositionals: true,
    options: { ...Object.fromEntries(names.map((name) => [name, { type: 'string' }])), help: { type: 'boolean' } },
  })
} catch (error) {
  refuse(error.message)
}
if (parsed.values.help) {
  process.stdout.write(usage)
  process.exit(0)
}

const setting = (name) => {
  const value = parsed.values[name] ?? process.env[`CONFORMANCE_${name.toUpperCase().replace('-', '_')}`]
  return value?.startsWith('@') ? readFileSync(value.slice(1), 'utf8') : value
}

export const url = parsed.positionals[0] ?? process.env.ORDERGRAPH_URL
export const token = parsed.positionals[1] ?? process.env.ORDERGRAPH_TOKEN
export const subscription = setting('subscription')
if (!url || !token || !subscription || !setting('trigger')) refuse('URL, TOKEN, a subscription and a trigger are needed')
export const wsUrl = setting('ws') ?? url.replace(/^http/, 'ws')
export const sseUrl = setting('sse') ?? url
export const variables = JSON.parse(setting('variables') ?? '{}')
export const query = setting('query') ?? '{ __typename }'
export const serve = setting('serve') && JSON.parse(setting('serve'))
export const milliseconds = Number(setting('timeout') ?? 10) * 1000

const key = parsed.values.key && readFileSync(parsed.values.key)
export const canSign = Boolean(key)

/** A token like the given one that ends in so many seconds; `claims` replaces others. */
export function signed(seconds, claims = {}) {
  const base64 = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const known = JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString())
  const text = `${base64({ alg: 'HS256', typ: 'JWT' })}.${base64({ ...known, exp: Math.floor(Date.now() / 1000) + seconds, ...claims })}`
  return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`
}

let calls = 0
/** Makes an event happen. */
export async function trigger(address = url, authorization = `Bearer ${token}`, replace = (text) => text) {
  const text = replace((setting('trigger-variables') ?? '{}').replaceAll('%n%', String(Date.now() * 100 + (calls++ % 100))))
  const response = await fetch(address, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json', authorization },
    body: JSON.stringify({ query: setting('trigger'), variables: JSON.parse(text) }),
    signal: AbortSignal.timeout(milliseconds),
  })
  const { errors, data } = await response.json()
  if (errors) throw new Error(`the trigger failed: ${JSON.stringify(errors)}`)
  const refused = Object.values(data ?? {}).flatMap((payload) => payload?.userErrors ?? [])
  if (refused.length) throw new Error(`the trigger was refused: ${JSON.stringify(refused)}`)
}

export const sleep = (time) => new Promise((done) => setTimeout(done, time))

/** Waits until something holds. */
export async function until(what, holds, time = milliseconds) {
  const deadline = Date.now() + time
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within ${time / 1000} s: ${what}`)
    await sleep(20)
  }
}

export function expect(condition, what) {
  if (!condition) throw new Error(what)
}

export const describe = (reason) =>
  reason?.code ? `closed with ${reason.code} ${reason.reason}` : Array.isArray(reason) ? JSON.stringify(reason) : String(reason?.message ?? reason)

/** A way to the server that can be cut. */
export async function breakable(address) {
  const { port, hostname } = new URL(address)
  const open = new Set()
  const server = createServer((near) => {
    const far = connect(Number(port), hostname)
    for (const [one, other] of [[near, far], [far, near]]) {
      open.add(one)
      one.pipe(other)
      one.on('error', () => other.destroy())
      one.on('close', () => open.delete(one) && other.destroy())
    }
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  const near = new URL(address)
  near.port = server.address().port
  const cut = () => open.forEach((socket) => socket.destroy())
  return { address: near, cut, close: () => cut() ?? server.close() }
}

/** The cursor of a result. */
export const cursorOf = (result) => result.extensions?.cursor
