// Each transport by itself: what it carries and what it refuses.
import WebSocket from 'ws'
import { cursorOf, expect, milliseconds, query, sseUrl, subscription, token, trigger, until, url, variables, wsUrl } from './setup.mjs'
import { collect, sse, transports, ws } from './transports.mjs'

function sound(result) {
  expect(!result.errors?.length, JSON.stringify(result.errors))
  expect(result.data && Object.keys(result.data).length > 0, `no data in ${JSON.stringify(result)}`)
}

/**
 * Waits for a first result. A client says when its connection is open, not when the server has begun
 * to listen for events: the trigger is repeated.
 */
export async function awake(watch, results = watch.results.length + 1) {
  for (let tries = 0; watch.results.length < results; tries++) {
    expect(!watch.ended, `it ended: ${watch.ended}`)
    expect(tries * 500 < milliseconds, 'no result')
    await trigger()
    await until('a result', () => watch.results.length >= results || watch.ended, 500).catch(() => {})
  }
}

/** The code with which a socket is closed on which these messages are sent. */
async function closeCode(messages, protocol = 'graphql-transport-ws') {
  const socket = new WebSocket(wsUrl, protocol)
  let outcome
  socket.on('open', () => messages.forEach((message) => socket.send(typeof message === 'object' ? JSON.stringify(message) : message)))
  socket.on('close', (code) => (outcome ??= code))
  socket.on('unexpected-response', (_, response) => (outcome ??= `HTTP ${response.statusCode}`))
  socket.on('error', (error) => (outcome ??= error.message))
  await until('closed', () => outcome).finally(() => socket.terminate())
  return outcome
}

async function refusal(address, accept) {
  const response = await fetch(address, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept, authorization: 'Bearer not-a-token' },
    body: JSON.stringify({ query: subscription, variables }),
    signal: AbortSignal.timeout(milliseconds),
  })
  await response.body?.cancel()
  return response.status
}

const init = { type: 'connection_init' }
const subscribe = { type: 'subscribe', id: '1', payload: { query: 'subscription { nothing }' } }
const endless = { type: 'subscribe', id: '1', payload: { query: subscription, variables } }

export const checks = {
  'query over graphql-transport-ws': async () => {
    const watch = collect(ws({ connectionParams: { authorization: `Bearer ${token}` } }), { query })
    await until('an answer', () => watch.ended).finally(() => watch.close())
    sound(watch.results[0])
  },
  ...Object.fromEntries(
    Object.entries(transports).flatMap(([name, open]) => [
      [
        `subscription over ${name}`,
        async () => {
          const watch = open()
          await awake(watch).finally(() => watch.close())
          sound(watch.results[0])
          expect(cursorOf(watch.results[0]), 'no cursor')
        },
      ],
    ]),
  ),
  'close codes of graphql-transport-ws': async () => {
    const token403 = { type: 'connection_init', payload: { authorization: 'Bearer not-a-token' } }
    for (const [expected, messages, protocol] of [
      [4400, ['nonsense']],
      [4400, [{ type: 'start' }]],
      [4400, [Buffer.from('{}')]],
      [4400, [init, { type: 'ping', payload: { x: 'x'.repeat(70_000) } }]],
      [4401, [subscribe]],
      [4403, [token403]],
      [4406, [], 'graphql-ws'],
      [4408, []],
      [4409, [{ ...init, payload: { authorization: `Bearer ${token}` } }, endless]],
      [4429, [init, init]],
    ]) {
      if (expected === 4409) {
        const socket = new WebSocket(wsUrl, 'graphql-transport-ws')
        let code
        socket.on('open', () => socket.send(JSON.stringify(messages[0])))
        socket.on('message', (data) => {
          if (JSON.parse(data).type === 'connection_ack') for (let i = 0; i < 2; i++) socket.send(JSON.stringify(endless))
        })
        socket.on('close', (closed) => (code = closed))
        await until('closed', () => code).finally(() => socket.terminate())
        expect(code === expected, `${code} instead of ${expected}`)
        continue
      }
      const code = await closeCode(messages, protocol)
      expect(code === expected, `${code} instead of ${expected} for ${JSON.stringify(messages).slice(0, 80)}`)
    }
  },
  'bad token is refused over SSE and multipart': async () => {
    expect((await refusal(sseUrl, 'text/event-stream')) === 401, 'SSE')
    expect((await refusal(url, 'multipart/mixed;subscriptionSpec=1.0, application/json')) === 401, 'multipart')
  },
  'a document that does not fit is refused over each transport': async () => {
    const payload = { query: 'subscription { nothing }' }
    const over = collect(ws({ connectionParams: { authorization: `Bearer ${token}` } }), payload)
    await until('an end', () => over.ended).finally(() => over.close())
    expect(over.ended.includes('GRAPHQL_VALIDATION_FAILED') && over.results.length === 0, `socket: ${over.ended}`)

    const streamed = collect(sse({ headers: { authorization: `Bearer ${token}` } }), payload)
    await until('an end', () => streamed.ended).finally(() => streamed.close())
    expect(streamed.ended === 'complete' && JSON.stringify(streamed.results).includes('GRAPHQL_VALIDATION_FAILED'), 'SSE')
  },
  'pings of the server tell the newest cursor': async () => {
    const pings = []
    const client = ws({
      connectionParams: { authorization: `Bearer ${token}` },
      on: { ping: (received, payload) => received && pings.push(payload) },
    })
    const watch = collect(client, { query: subscription, variables })
    // The usual interval is 25 seconds.
    await until('a ping', () => pings.length, 30_000).finally(() => watch.close())
    const [payload] = pings
    expect(typeof payload?.cursor === 'string', `the payload is ${JSON.stringify(payload)}`)
    const resumed = transports['graphql-transport-ws']({ after: payload.cursor })
    await awake(resumed).finally(() => resumed.close())
  },
  'the place of an idle event stream moves on, and nobody is told': async () => {
    const response = await fetch(sseUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query: subscription, variables }),
      signal: AbortSignal.timeout(30_000),
    })
    let text = ''
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      text += chunk
      if (/^id: \S+\n\n/m.test(text)) break
    }
    expect(!text.includes('event:'), text)
    const [, cursor] = /^id: (\S+)\n\n/m.exec(text)
    const resumed = transports.SSE({ after: cursor })
    await awake(resumed).finally(() => resumed.close())
  },
}
