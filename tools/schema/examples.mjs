// Plays orders from submission to after-sales on a running server with the demo group, with the very
// documents of examples/operations, and follows them live.
//
//   node tools/schema/examples.mjs URL PRINT-TOKEN...
//
// PRINT-TOKEN is a command that prints a token when given --role ROLE (and --subject NAME), such as
// `ordergraph token --data-dir DIR`. Every operation must be used, and none may answer an error or a
// refusal.
import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { createClient } from 'graphql-sse'
import { parse, print } from 'graphql'

const [url, ...printToken] = process.argv.slice(2)
if (!url || !printToken.length) {
  console.error('usage: node tools/schema/examples.mjs URL PRINT-TOKEN...')
  process.exit(2)
}

const folder = new URL('../../examples/operations/', import.meta.url)
const documents = new Map()
for (const file of readdirSync(folder).filter((name) => name.endsWith('.graphql'))) {
  const text = readFileSync(new URL(file, folder), 'utf8')
  for (const definition of parse(text).definitions) {
    if (definition.kind === 'OperationDefinition') documents.set(definition.name.value, print(parse(text)))
  }
}
const unused = new Set(documents.keys())

const tokens = new Map()
function token(who) {
  if (!tokens.has(who)) {
    const [role, subject] = who.split(' ')
    const more = ['--role', role, ...(subject ? ['--subject', subject] : [])]
    tokens.set(who, execFileSync(printToken[0], [...printToken.slice(1), ...more], { encoding: 'utf8' }).trim())
  }
  return tokens.get(who)
}

function check(operationName, { data, errors }) {
  if (errors) throw new Error(`${operationName}: ${JSON.stringify(errors)}`)
  const refused = Object.values(data).flatMap((payload) => payload?.userErrors ?? [])
  if (refused.length) throw new Error(`${operationName} was refused: ${JSON.stringify(refused)}`)
  return data
}

/** Runs an example and gives its data. */
async function run(who, operationName, variables = {}) {
  unused.delete(operationName)
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token(who)}` },
    body: JSON.stringify({ query: documents.get(operationName), operationName, variables }),
    signal: AbortSignal.timeout(20_000),
  })
  return check(operationName, await response.json())
}

/** Runs a mutation and gives its payload. */
async function act(who, operationName, input) {
  return Object.values(await run(who, operationName, { input }))[0]
}

/** The first message of a subscription. */
async function follow(who, operationName, variables) {
  unused.delete(operationName)
  const headers = { authorization: `Bearer ${token(who)}` }
  const client = createClient({ url: `${url}/stream`, headers, retryAttempts: 0 })
  let timer
  try {
    const message = new Promise((done, fail) => {
      timer = setTimeout(() => fail(new Error(`${operationName}: no message within 10 s`)), 10_000)
      client.subscribe(
        { query: documents.get(operationName), operationName, variables },
        { next: done, error: fail, complete: () => fail(new Error(`${operationName} ended`)) },
      )
    })
    return Object.values(check(operationName, await message))[0]
  } finally {
    clearTimeout(timer)
    client.dispose()
  }
}

function expect(what, actual, wanted) {
  if (actual !== wanted) throw new Error(`${what} is ${actual}, not ${wanted}`)
}

const played = `${process.pid}-${Date.now()}`
const submit = async (name, lines) =>
  (
    await act('SALES', 'SubmitOrder', {
      channel: 'OFFLINE_SALES',
      externalReference: `EXAMPLE-${played}-${name}`,
      customerNumber: 'C-2001',
      currencyCode: 'CNY',
      requiredWithinDays: 30,
      deliveryAddress: { street: '1 Lantern Road', city: 'Hangzhou', countryCode: 'CN' },
      lines,
    })
  ).order
const now = () => new Date().toISOString()

async function play() {
  for (const who of ['CUSTOMER', 'PARTNER', 'SUPERVISOR', 'TRAINER']) await run(who, 'Viewer')
  const products = await run('CUSTOMER', 'Products', { first: 50, kind: 'GOODS' })
  if (!products.products.nodes.length) throw new Error('the demo group sells nothing')
  const feed = await run('SUPERVISOR', 'EventFeed', { first: 100 })
  if (!feed.events.hasMore) throw new Error('the demo group has no history')
  const page = await run('SALES', 'OrderList', { first: 5, filter: { stages: ['DELIVERY'] }, sort: { field: 'REQUIRED_BY' } })
  const after = page.orders.pageInfo.endCursor
  await run('SALES', 'OrderList', { first: 5, after, filter: { stages: ['DELIVERY'] }, sort: { field: 'REQUIRED_BY' } })
  for (const { node } of page.orders.edges) await run('SUPERVISOR', 'OrderPage', { by: { number: node.number } })
  // What people outside the group see of their own orders.
  for (const who of ['CUSTOMER', 'PARTNER']) {
    const own = await run(who, 'OrderList', { first: 10 })
    if (!own.orders.edges.length) throw new Error(`the demo's ${who} has no orders`)
    for (const { node } of own.orders.edges) await run(who, 'OrderPage', { by: { id: node.id } })
  }
  await run('REVIEWER', 'ReviewBoard', { first: 20 })
  await run('REVIEWER', 'ReviewQueue', { first: 20 })
  await run('LOGISTICS', 'DeliveryBoard', { first: 20, filter: { statuses: ['PLANNED', 'BOOKED', 'IN_TRANSIT'] } })

  // An order for more than is in stock, from intake to after-sales.
  const stock = await run('WAREHOUSE', 'StockList', { first: 50 })
  const lamps = stock.stockItems.nodes.find((item) => item.sku === 'LAMP-2')
  const wanted = Math.max(Number(lamps.available), 0) + 200
  const order = await submit('1', [{ sku: 'LAMP-2', quantity: `${wanted}` }])
  // A cursor is good for those who may see the same as whoever it was given to.
  const before = { SUPERVISOR: (await run('SUPERVISOR', 'OrderPage', { by: { id: order.id } })).eventCursor }
  for (const who of ['PROCUREMENT', 'SERVICE_AGENT']) before[who] = (await ask(who, '{ eventCursor }')).eventCursor
  const reviewed = (await act('FINANCE_APPROVER', 'StartReview', { orderId: order.id })).order
  const waivers = reviewed.review.checks
    .filter((one) => one.outcome === 'NEEDS_HUMAN')
    .map((one) => ({ check: one.kind, reason: 'Agreed with the customer on the telephone.' }))
  await act('FINANCE_APPROVER', 'ApproveOrder', { orderId: order.id, expectedVersion: reviewed.version, waivers })
  const held = await act('DISPATCHER', 'PlaceHold', { orderId: order.id, reason: 'The building permit is missing.' })
  await act('DISPATCHER', 'ReleaseHold', { orderId: order.id, holdId: held.order.holds[0].id })
  const { simulateAllocation: simulated } = await run('DISPATCHER', 'SimulateAllocation', { of: { orderId: order.id } })
  const allocated = (await act('DISPATCHER', 'AllocateOrder', { orderId: order.id })).allocations[0]
  expect('the unit', allocated.unit.code, simulated.decisions[0].parts[0].unitCode)
  await run('DISPATCHER', 'UnallocatableOrders', { first: 20 })
  const other = allocated.decision.candidates.find((one) => one.eligible && !one.chosen)
  const unitId = await unitNamed(other.unitCode)
  const moved = (await act('DISPATCHER', 'ReassignAllocation', { allocationId: allocated.id, unitId, reason: 'The customer asked for it.' })).allocation
  const operator = { 'AUR-N': 'OPERATOR olga.operator', 'AUR-S': 'OPERATOR oscar.operator' }[moved.unit.code]
  const inbox = await run(operator, 'AllocationInbox', { first: 100, filter: { statuses: ['ASSIGNED'] } })
  if (!inbox.allocations.nodes.some((one) => one.id === moved.id)) throw new Error('the operator does not see the new share')
  const accepted = (await act(operator, 'AcceptAllocation', { allocationId: moved.id })).allocation
  if (!accepted.backorders.length) throw new Error('nothing is missing although more was ordered than there is')
  const open = await run('PROCUREMENT', 'OpenReplenishment', { first: 100, filter: { statuses: ['PROPOSED', 'PARTIALLY_RECEIVED'] } })
  const warehouse = `${moved.unit.code}-WH`
  const request = open.replenishmentRequests.nodes.find((one) => one.stockItem.sku === 'LAMP-2' && one.stockItem.warehouse.code === warehouse)
  const received = await act('PROCUREMENT', 'ReceiveStock', { stockItemId: request.stockItem.id, quantity: `${wanted}` })
  if (!received.filledAllocations.some((one) => one.id === moved.id)) throw new Error('the share did not get what it waited for')
  for (const [index, { id: milestoneId }] of accepted.milestones.entries()) {
    await act(operator, 'StartMilestone', { milestoneId })
    if (index === 0) {
      await act(operator, 'BlockMilestone', { milestoneId, cause: 'The lift is out of order.', measure: 'A technician comes today.' })
      await act(operator, 'StartMilestone', { milestoneId })
    }
    await act(operator, 'CompleteMilestone', { milestoneId })
  }
  const waiting = (await run('INSPECTOR', 'InspectionList', { first: 100 })).allocations.nodes
  const checklist = waiting.find((one) => one.id === moved.id).checklistItems.map((item) => ({ item, passed: true }))
  const inspected = await act('INSPECTOR', 'RecordInspection', { allocationId: moved.id, checklist })
  expect('the share', inspected.allocation.status, 'CLEARED')
  const planned = (await act('LOGISTICS', 'PlanDelivery', { allocationId: moved.id, method: 'FREIGHT' })).delivery
  const deliveryId = planned.id
  await act('LOGISTICS', 'BookDelivery', { deliveryId, carrier: 'Swift Freight', trackingNumber: `SF${played}` })
  await act('LOGISTICS', 'DispatchDelivery', { deliveryId })
  const report = { deliveryId, carrier: 'Swift Freight', carrierEventId: `SF${played}-1`, kind: 'DELIVERED', occurredAt: now() }
  await act('LOGISTICS', 'RecordTrackingEvent', report)
  expect('a repeated report', (await act('LOGISTICS', 'RecordTrackingEvent', report)).duplicate, true)
  const evidence = { kind: 'SIGNED_SLIP', reference: `slip ${played}` }
  const confirmed = await act('LOGISTICS', 'ConfirmDelivery', { deliveryId, evidence })
  expect('the order', confirmed.order.status, 'COMPLETED')
  const problem = { type: 'PRODUCT_QUALITY', subject: 'One lamp flickers', description: 'After an hour.' }
  const { ticket } = await act('SALES', 'OpenTicket', { orderId: order.id, ...problem })
  await run('SERVICE_AGENT', 'TicketList', { first: 20, filter: { statuses: ['NEW', 'OPEN'] } })
  await act('SERVICE_AGENT', 'ContactCustomer', { ticketId: ticket.id, summary: 'They sent a film.', plan: 'A new driver.' })
  const solved = await act('SERVICE_AGENT', 'ResolveTicket', { ticketId: ticket.id, resolution: 'The driver was replaced.' })
  expect('the ticket', solved.ticket.status, 'RESOLVED')

  // An order that is unclear and then rejected, and one that is called off.
  const unclear = await submit('2', [{ category: 'Lighting', quantity: '2' }])
  await act('REVIEWER', 'StartReview', { orderId: unclear.id })
  await act('REVIEWER', 'RequestClarification', { orderId: unclear.id, question: 'Which lamps would you like?' })
  const lineId = (await run('SALES', 'OrderPage', { by: { id: unclear.id } })).order.lines[0].id
  await act('SALES', 'AnswerClarification', { orderId: unclear.id, answer: 'The small ones.', lines: [{ lineId, sku: 'LAMP-1' }] })
  await act('REVIEWER', 'RejectOrder', { orderId: unclear.id, reason: 'The customer changed their mind.' })
  const off = await submit('3', [{ sku: 'LAMP-1', quantity: '1' }])
  await act('SALES', 'AmendOrder', { orderId: off.id, requiredBy: new Date(Date.now() + 40 * 86_400_000).toISOString().slice(0, 10) })
  await act('SALES', 'CancelOrder', { orderId: off.id, reason: 'The project was called off.' })

  // A share of which another unit takes a part.
  const parted = await submit('4', [{ sku: 'CABLE-5', quantity: '7' }])
  await act('FINANCE_APPROVER', 'StartReview', { orderId: parted.id })
  await act('FINANCE_APPROVER', 'ApproveOrder', { orderId: parted.id })
  const whole = (await act('DISPATCHER', 'AllocateOrder', { orderId: parted.id })).allocations[0]
  const assigned = await run('DISPATCHER', 'AllocationInbox', { first: 100, filter: { statuses: ['ASSIGNED'] } })
  const [line] = assigned.allocations.nodes.find((one) => one.id === whole.id).lines
  const second = await unitNamed(whole.unit.code === 'AUR-N' ? 'AUR-S' : 'AUR-N')
  const parts = [{ lineId: line.id, quantity: '2' }]
  const halves = await act('DISPATCHER', 'SplitAllocation', { allocationId: whole.id, unitId: second, reason: 'Two are urgent.', parts })
  expect('how many shares there are', halves.allocations.length, 2)

  // Somebody leaves the company, and comes back.
  const subject = `leaver-${played}`
  const left = (await act('ADMIN', 'RevokeAccess', { subject, reason: 'Left the company.' })).restriction
  const restricted = await run('SUPERVISOR', 'AccessRestrictions', { first: 20, filter: { subject, inForce: true } })
  expect('who lost access', restricted.accessRestrictions.nodes.map((one) => one.id).join(), left.id)
  const back = await act('ADMIN', 'RestoreAccess', { restrictionId: left.id, expectedVersion: left.version, reason: 'Back again.' })
  expect('the restriction', back.restriction.status, 'LIFTED')

  // The same again as those see it who followed from before.
  expect('the snapshot', (await follow('SALES', 'OrderProgress', { orderId: order.id })).order.status, 'COMPLETED')
  const first = await follow('SUPERVISOR', 'OrderEvents', { after: before.SUPERVISOR, filter: { orderId: order.id } })
  expect('the first event', first.event.kind, 'ORDER_REVIEW_STARTED')
  expect('the stock alert', (await follow('PROCUREMENT', 'StockAlerts', { after: before.PROCUREMENT })).stockItem.sku, 'LAMP-2')
  const level = await follow('SUPERVISOR', 'StockLevels', { after: before.SUPERVISOR })
  expect('the level of stock', typeof level.stockItem.available, 'string')
  const update = await follow('SERVICE_AGENT', 'TicketUpdates', { after: before.SERVICE_AGENT, filter: { ticketId: ticket.id } })
  expect('the ticket event', update.event.kind, 'TICKET_OPENED')
  const ids = [order.id, moved.id, deliveryId, ticket.id, first.event.id]
  const refreshed = (await run('SUPERVISOR', 'Refresh', { ids })).nodes
  expect('what was read again', refreshed.map((node) => node?.id).join(), ids.join())
}

/** The id of an executing unit. */
async function unitNamed(code) {
  return (await ask('SUPERVISOR', '{ units { id code } }')).units.find((unit) => unit.code === code).id
}

/** The data of a query that is no example. */
async function ask(who, query) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token(who)}` },
    body: JSON.stringify({ query }),
  })
  return check(query, await response.json())
}

try {
  await play()
  if (unused.size) throw new Error(`not played: ${[...unused].join(', ')}`)
  console.log(`examples: ${documents.size} operations played, no errors`)
} catch (error) {
  console.error(`examples: ${error.message}`)
  process.exit(1)
}
