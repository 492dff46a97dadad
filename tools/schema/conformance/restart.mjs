// A server that is stopped and started again while clients watch.
import { deepStrictEqual } from 'node:assert'
import { spawn } from 'node:child_process'
import { createClient as createWs } from 'graphql-ws'
import { EventSource } from 'eventsource'
import WebSocket from 'ws'
import { cursorOf, expect, serve, sleep, subscription, token, trigger, until, variables } from './setup.mjs'

/** Starts the server; resolves once it answers. */
async function start(listen) {
  const child = spawn(serve[0], [...serve.slice(1), '--listen', listen], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (data) => (text += data))
  const server = { child, ended: new Promise((done) => child.on('exit', done)) }
  const address = () => /http:\/\/(127\.0\.0\.1:\d+)/.exec(text)?.[1]
  await until('an address', address, 60_000)
  server.address = address()
  await until('ready', () => fetch(`http://${server.address}/readyz`).then((response) => response.ok, () => false), 60_000)
  return server
}

export const checks = {
  'clients come back by themselves after a restart, and miss nothing': async () => {
    let server = await start('127.0.0.1:0')
    const { address } = server
    const authorization = `Bearer ${token}`
    const closed = []
    const payload = { query: subscription, variables: { ...variables } }
    const overSocket = []
    const client = createWs({
      url: `ws://${address}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization },
      retryAttempts: 20,
      retryWait: () => sleep(200),
      on: { closed: (event) => closed.push(event.code) },
    })
    client.subscribe(payload, {
      next: (result) => {
        overSocket.push(cursorOf(result))
        payload.variables.after = cursorOf(result)
      },
      error: (reason) => overSocket.push(reason),
      complete: () => overSocket.push('complete'),
    })
    const stream = new URL(`http://${address}/graphql/stream`)
    stream.searchParams.set('query', subscription)
    stream.searchParams.set('variables', JSON.stringify(variables))
    const overStream = []
    const source = new EventSource(stream, {
      fetch: (input, options) => fetch(input, { ...options, headers: { ...options.headers, authorization } }),
    })
    source.addEventListener('next', (event) => overStream.push(cursorOf(JSON.parse(event.data))))
    source.addEventListener('complete', () => overStream.push('complete'))

    const happen = () => trigger(`http://${address}/graphql`)
    try {
      await until('both listen', async () => {
        await happen()
        await sleep(200)
        return overSocket.length && overStream.length
      })
      await sleep(300)
      const common = overStream.at(-1)
      for (let i = 0; i < 3; i++) await happen()
      await until('the events before', () => [overSocket, overStream].every((seen) => seen.length > 3 && seen.at(-4) === common))

      server.child.kill('SIGTERM')
      await server.ended
      deepStrictEqual(closed, [1012])
      server = await start(address)
      // Nobody may be back yet.
      for (let i = 0; i < 3; i++) await happen()
      const rest = (seen) => seen.slice(seen.indexOf(common) + 1)
      await until('the events after', () => rest(overSocket).length >= 6 && rest(overStream).length >= 6, 20_000)
      await sleep(300)
      deepStrictEqual(rest(overSocket), rest(overStream))
      expect(rest(overSocket).length === 6, `${rest(overSocket).length} instead of 6`)
    } finally {
      source.close()
      await client.dispose()
      server.child.kill('SIGTERM')
      await server.ended
    }
  },
}
