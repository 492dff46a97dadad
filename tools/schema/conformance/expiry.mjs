// Tokens that end while a subscription runs.
import { deepStrictEqual } from 'node:assert'
import WebSocket from 'ws'
import { cursorOf, expect, signed, sleep, subscription, trigger, until, variables, wsUrl } from './setup.mjs'
import { awake } from './basics.mjs'
import { collect, transports, ws } from './transports.mjs'

export const checks = {
  'graphql-ws comes back by itself after the end of its token, and misses nothing': async () => {
    const closed = []
    let connected = 0
    const client = ws({
      connectionParams: () => ({ authorization: `Bearer ${signed(closed.length < 2 ? 3 : 60)}` }),
      retryAttempts: 5,
      on: { closed: (event) => closed.push(event.code), connected: () => connected++ },
    })
    // The client sends this object anew each time it connects.
    const payload = { query: subscription, variables: { ...variables } }
    const watch = collect(client, payload)
    const remember = setInterval(() => {
      const last = watch.results.at(-1)
      if (last) payload.variables.after = cursorOf(last)
    }, 5)
    const control = transports.SSE()
    try {
      await awake(watch)
      await awake(control)
      const mark = watch.results.at(-1)
      // Some of these happen while the client is away.
      while (closed.length < 2) {
        await trigger()
        await sleep(100)
      }
      await until('a third connection', () => connected === 3)
      const before = control.results.length
      await trigger()
      await until('the last event', () => control.results.length > before)
      await until('everything', () => cursorOf(watch.results.at(-1)) === cursorOf(control.results.at(-1)))
      const after = (results) => results.map(cursorOf).slice(results.map(cursorOf).indexOf(cursorOf(mark)) + 1)
      deepStrictEqual(after(watch.results), after(control.results))
      deepStrictEqual([...new Set(closed)], [4403])
    } finally {
      clearInterval(remember)
      watch.close()
      control.close()
    }
  },

  'another token before the end keeps the socket': async () => {
    let socket
    const [closed, pongs, asked] = [[], [], []]
    const client = ws({
      connectionParams: { authorization: `Bearer ${signed(4)}` },
      on: {
        opened: (opened) => (socket = opened),
        closed: (event) => closed.push(event.code),
        pong: (received) => received && pongs.push(true),
        ping: (received, payload) => {
          if (!received || !payload?.reauth || asked.length) return
          asked.push(payload)
          socket.send(JSON.stringify({ type: 'ping', payload: { authorization: `Bearer ${signed(60)}` } }))
        },
      },
    })
    const watch = collect(client, { query: subscription, variables })
    try {
      await until('the question', () => asked.length)
      await until('the confirmation', () => pongs.length)
      await sleep(5_000)
      await awake(watch)
      deepStrictEqual(closed, [])
    } finally {
      watch.close()
    }
  },

  'the end of a token ends each transport in time': async () => {
    const ends = { 'graphql-transport-ws': '4403', SSE: 'complete', multipart: 'complete' }
    for (const [name, open] of Object.entries(transports)) {
      const bearer = signed(3)
      const end = JSON.parse(Buffer.from(bearer.split('.')[1], 'base64url')).exp * 1000
      const watch = open({}, bearer)
      try {
        await until('the end', () => watch.ended)
        const late = Date.now() - end
        expect(Math.abs(late) < 700, `${name}: ${late} ms after the end`)
        expect(watch.ended.includes(ends[name]), `${name}: ${watch.ended}`)
        const said = JSON.stringify([watch.results.at(-1) ?? {}, watch.transportError?.errors ?? {}])
        expect(name === 'graphql-transport-ws' || said.includes('TOKEN_EXPIRED'), `${name}: ${said}`)
      } finally {
        watch.close()
      }
    }
  },

  'the token of somebody else ends the socket': async () => {
    const socket = new WebSocket(wsUrl, 'graphql-transport-ws')
    const send = (message) => socket.send(JSON.stringify(message))
    let code
    socket.on('open', () => send({ type: 'connection_init', payload: { authorization: `Bearer ${signed(60)}` } }))
    socket.on('message', (data) => {
      if (JSON.parse(data).type !== 'connection_ack') return
      send({ type: 'ping', payload: { authorization: `Bearer ${signed(60, { sub: 'somebody-else' })}` } })
    })
    socket.on('close', (closed) => (code = closed))
    await until('closed', () => code).finally(() => socket.terminate())
    expect(code === 4403, `closed with ${code}`)
  },
}
