// The peer: graphql-ws on ws, one subscription with the nine fields that the benchmark selects.
//
//   node server.mjs ADDRESS:PORT
//
// POST /fire?from=SEQUENCE&count=N sends N events to everybody, as the other servers do it.
import { createServer } from 'node:http'
import { buildSchema } from 'graphql'
import { useServer } from 'graphql-ws/use/ws'
import { WebSocketServer } from 'ws'

const schema = buildSchema(`
  type Event {
    id: ID!
    kind: String!
    sequence: Int!
    occurredAt: String!
    aggregateKind: String!
    aggregateId: ID!
    action: String!
  }
  type OrderProgress { cursor: String! event: Event }
  type Query { ready: Boolean! }
  type Subscription { orderProgress(orderId: ID!, after: String, snapshot: Boolean = true): OrderProgress! }
`)

const encoded = (text) => Buffer.from(text).toString('base64url')
const orderId = encoded('Order:01936161616170008000000000000001')
const subscribers = new Set()

// A queue per subscriber with one waiting reader: the least an async iterator can be.
function follow() {
  const queue = []
  let waiting = null
  const push = (value) => {
    if (waiting) {
      const deliver = waiting
      waiting = null
      deliver({ value, done: false })
    } else {
      queue.push(value)
    }
  }
  subscribers.add(push)
  return {
    next: () =>
      queue.length > 0
        ? Promise.resolve({ value: queue.shift(), done: false })
        : new Promise((resolve) => { waiting = resolve }),
    return: () => {
      subscribers.delete(push)
      waiting?.({ value: undefined, done: true })
      return Promise.resolve({ value: undefined, done: true })
    },
    [Symbol.asyncIterator]() { return this },
  }
}
schema.getSubscriptionType().getFields().orderProgress.subscribe = follow

function fire(sequence) {
  const message = {
    orderProgress: {
      cursor: encoded(`1|0193616161617000800000000000|${sequence}`),
      event: {
        id: encoded(`Event:${String(sequence).padStart(32, '0')}`),
        kind: 'ORDER_HELD',
        sequence,
        occurredAt: new Date().toISOString(),
        aggregateKind: 'ORDER',
        aggregateId: orderId,
        action: 'PLACE_HOLD',
      },
    },
  }
  for (const push of subscribers) push(message)
}

const server = createServer((request, response) => {
  const url = new URL(request.url, 'http://localhost')
  if (url.pathname === '/fire') {
    const from = Number(url.searchParams.get('from'))
    const count = Number(url.searchParams.get('count'))
    for (let sequence = from; sequence < from + count; sequence += 1) fire(sequence)
  }
  response.end('ready')
})
const sockets = new WebSocketServer({ server, path: '/graphql', perMessageDeflate: false })
useServer({ schema }, sockets)

const [host, port] = process.argv[2].split(':')
server.listen({ host, port: Number(port), backlog: 4096 })
