// Opens GraphiQL in a real browser as a person would: runs the query it starts with, then the
// subscription, and lets something happen.
//
//   node tools/browser/graphiql.mjs URL TOKEN CHROMIUM [SCREENSHOT]
//
// Fails when an answer has errors, when the page asks another host for anything, or when the browser
// has something to complain about.
import { chromium } from 'playwright-core'

const [url, token, executablePath, screenshot] = process.argv.slice(2)
if (!executablePath) {
  console.error('usage: node tools/browser/graphiql.mjs URL TOKEN CHROMIUM [SCREENSHOT]')
  process.exit(2)
}

const api = async (query) => {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query }),
  })
  const { data, errors } = await response.json()
  if (errors) throw new Error(JSON.stringify(errors))
  return data
}

const browser = await chromium.launch({
  executablePath,
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run', '--disable-dev-shm-usage'],
})
const complaints = []
let step = 'opening the page'
try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 1000 } })
  page.setDefaultTimeout(20_000)
  const { host } = new URL(url)
  const foreign = (address) => {
    const { protocol, host: asked } = new URL(address)
    if (!['data:', 'blob:'].includes(protocol) && asked !== host) complaints.push(`it asked ${address}`)
  }
  page.on('request', (request) => foreign(request.url()))
  page.on('websocket', (socket) => foreign(socket.url()))
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complaints.push(`console: ${message.text()}`))
  page.on('pageerror', (error) => complaints.push(`page: ${error.message}`))
  page.on('requestfailed', (request) => complaints.push(`failed: ${request.url()}`))

  await page.goto(`${url}/#token=${token}`)
  const result = page.locator('.result-window .CodeMirror')
  await result.waitFor()
  if (page.url().includes('token')) complaints.push('the token stays in the address bar')

  /** What the editor of results shows, once it shows this. */
  const shown = async (text) => {
    await page.waitForFunction(
      (wanted) => document.querySelector('.result-window .CodeMirror')?.CodeMirror.getValue().includes(wanted),
      text,
    )
    return result.evaluate((element) => element.CodeMirror.getValue())
  }
  /** Runs the operation with this name, as Ctrl-Enter does with the cursor in it. */
  const run = async (name) => {
    await page.locator('.graphiql-query-editor .CodeMirror').evaluate((element, wanted) => {
      const editor = element.CodeMirror
      const line = editor.getValue().split('\n').findIndex((text) => text.includes(wanted))
      editor.focus()
      editor.setCursor({ line: line + 1, ch: 2 })
    }, `${name} {`)
    await page.keyboard.press('Control+Enter')
  }

  step = 'the query it starts with'
  await run('query Start')
  const { data, errors } = JSON.parse(await shown('"viewer"'))
  if (errors || data.orders.nodes.length !== 5) throw new Error(JSON.stringify({ data, errors }))
  if (screenshot) await page.screenshot({ path: screenshot })

  step = 'the schema in the documentation'
  await page.getByRole('button', { name: /documentation explorer/i }).click()
  await page.getByText('AcceptAllocationInput', { exact: true }).waitFor()

  step = 'the subscription'
  await run('subscription Live')
  const id = data.orders.nodes.find((order) => !['COMPLETED', 'ENDED'].includes(order.stage)).id
  // The page does not say when the server has begun to listen: something happens until it shows.
  const hold = () => api(`mutation { placeHold(input: { orderId: "${id}", reason: "GraphiQL." }) { userErrors { message } } }`)
  const timer = setInterval(() => hold().catch((error) => complaints.push(error.message)), 500)
  const message = await shown('ORDER_HELD').finally(() => clearInterval(timer))
  if (message.includes('"errors"')) throw new Error(message)
  if (screenshot) await page.screenshot({ path: screenshot.replace('.png', '-live.png') })
} catch (error) {
  complaints.push(`${step}: ${error.message}`)
} finally {
  await browser.close()
}
if (complaints.length) {
  console.error(`graphiql:\n  ${complaints.join('\n  ')}`)
  process.exit(1)
}
console.log('graphiql: query and subscription ran, nothing was asked of another host, no complaints')
