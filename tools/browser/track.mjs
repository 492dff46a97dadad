// Follows an order by its tracking link in a real browser, on the screen of a phone, in both languages:
// what staff do shows at once, a question is answered, and the page ends with its key.
//
//   node tools/browser/track.mjs URL CHROMIUM CUSTOMER_TOKEN REVIEWER_TOKEN [SCREENSHOT]
//
// Fails when something does not show, when the page asks another host for anything or is wider than the
// phone, or when the browser has something to complain about.
import { chromium } from 'playwright-core'

const [url, executablePath, customer, reviewer, screenshot] = process.argv.slice(2)
if (!reviewer) {
  console.error('usage: node tools/browser/track.mjs URL CHROMIUM CUSTOMER_TOKEN REVIEWER_TOKEN [SCREENSHOT]')
  process.exit(2)
}

const api = async (token, name, input, selection) => {
  const type = `${name[0].toUpperCase()}${name.slice(1)}Input`
  const query = `mutation ($input: ${type}!) { ${name}(input: $input) { ${selection} userErrors { code message } } }`
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables: { input } }),
  })
  const { data, errors } = await response.json()
  if (errors || data[name].userErrors.length) throw new Error(`${name}: ${JSON.stringify(errors ?? data)}`)
  return data[name]
}

const requiredBy = new Date(Date.now() + 14 * 86_400_000).toISOString().slice(0, 10)
const { order } = await api(customer, 'submitOrder', {
  channel: 'E_COMMERCE',
  currencyCode: 'CNY',
  deliveryAddress: { street: '1 Quay', city: 'Shanghai', countryCode: 'CN' },
  lines: [{ category: 'Lighting', quantity: '3' }],
  requiredBy,
}, 'order { id number }')
const { accessKey, secret } = await api(customer, 'createTrackingLink', { orderId: order.id }, 'accessKey { id } secret')

const browser = await chromium.launch({
  executablePath,
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run', '--disable-dev-shm-usage'],
})
const complaints = []
let step = 'opening the link'
try {
  const page = await browser.newPage({ viewport: { width: 360, height: 740 }, locale: 'zh-CN' })
  page.setDefaultTimeout(20_000)
  const { host } = new URL(url)
  const foreign = (address) => {
    const { protocol, host: asked } = new URL(address)
    if (!['data:', 'blob:'].includes(protocol) && asked !== host) complaints.push(`it asked ${address}`)
    if (address.includes(secret)) complaints.push('the key was sent in an address')
  }
  page.on('request', (request) => foreign(request.url()))
  page.on('websocket', (socket) => foreign(socket.url()))
  page.on('pageerror', (error) => complaints.push(`page: ${error.message}`))

  await page.goto(`${url}/track#${secret}`)
  await page.getByRole('heading', { name: `订单 ${order.number}` }).waitFor()
  await page.locator('[aria-current=step]', { hasText: '已接收' }).waitFor()

  step = 'live, in the other language'
  await page.getByRole('button', { name: 'English' }).click()
  await api(reviewer, 'startReview', { orderId: order.id }, 'order { id }')
  await page.locator('[aria-current=step]', { hasText: 'In review' }).waitFor()

  step = 'a question'
  await api(reviewer, 'requestClarification', { orderId: order.id, question: 'Which <b>lamps</b>?' }, 'order { id }')
  await page.getByText('Which <b>lamps</b>?').waitFor()
  if (screenshot) await page.screenshot({ path: screenshot, fullPage: true })
  await page.getByLabel('Your answer').fill('The floor lamp.')
  await page.getByRole('button', { name: 'Send' }).click()
  await page.getByText('Thank you.').waitFor()
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth)
  if (wide) complaints.push('it is wider than the screen')

  step = 'the end of the link'
  await api(customer, 'revokeAccessKey', { accessKeyId: accessKey.id, reason: 'Enough.' }, 'accessKey { id }')
  await page.getByText('This link has expired or was withdrawn.').waitFor({ timeout: 5_000 })
  if (complaints.length) throw new Error(complaints.join('\n'))
  console.log('tracking page: live in two languages, answers, and ends with its link')
} catch (error) {
  console.error(`tracking page: ${step}: ${error.message}\n${complaints.join('\n')}`)
  process.exitCode = 1
} finally {
  await browser.close()
}
