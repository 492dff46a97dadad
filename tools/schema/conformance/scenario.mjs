// One story over all transports at once: everybody sees the same, in the same order, and goes on from
// the middle of it.
import { deepStrictEqual } from 'node:assert'
import { EventSource } from 'eventsource'
import { breakable, cursorOf, expect, sleep, sseUrl, subscription, token, trigger, until, url, variables } from './setup.mjs'
import { awake } from './basics.mjs'
import { transports } from './transports.mjs'

const EVENTS = 6

/** Every transport has seen one event, and no more are on their way. */
async function settled(watches) {
  for (const watch of watches) if (watch.results.length === 0) await awake(watch)
  const count = () => watches.reduce((sum, watch) => sum + watch.results.length, 0)
  for (let before = -1; before !== count(); await sleep(500)) before = count()
}

export const checks = {
  'the same story over each transport, and its rest from the middle': async () => {
    const watches = Object.values(transports).map((open) => open())
    let resumed = []
    try {
      await settled(watches)
      const marks = watches.map((watch) => watch.results.length)
      for (let i = 0; i < EVENTS; i++) await trigger()
      const told = () => watches.map((watch, index) => watch.results.slice(marks[index]))
      await until('all events everywhere', () => told().every((results) => results.length >= EVENTS))
      await sleep(300)
      const [story, ...others] = told()
      expect(story.length === EVENTS, `${story.length} results for ${EVENTS} events`)
      for (const other of others) deepStrictEqual(other, story)
      expect(new Set(story.map(cursorOf)).size === EVENTS, 'cursors repeat')

      resumed = Object.values(transports).map((open) => open({ after: cursorOf(story[2]) }))
      await until('the rest everywhere', () => resumed.every((watch) => watch.results.length >= EVENTS - 3))
      await sleep(300)
      for (const watch of resumed) deepStrictEqual(watch.results, story.slice(3))
    } finally {
      for (const watch of [...watches, ...resumed]) watch.close()
    }
  },

  'a browser\'s event source goes on by itself after a broken connection': async () => {
    const way = await breakable(sseUrl)
    const { address } = way
    address.searchParams.set('query', subscription)
    address.searchParams.set('variables', JSON.stringify(variables))
    const sent = []
    const source = new EventSource(address, {
      fetch: (input, options) => {
        sent.push(options.headers['Last-Event-ID'])
        return fetch(input, { ...options, headers: { ...options.headers, authorization: `Bearer ${token}` } })
      },
    })
    const watch = { results: [] }
    const ids = []
    source.addEventListener('next', (event) => {
      watch.results.push(JSON.parse(event.data))
      ids.push(event.lastEventId)
    })
    try {
      await awake(watch)
      await settled([watch])
      const mark = watch.results.length
      way.cut()
      for (let i = 0; i < 3; i++) await trigger()
      await until('what was missed', () => watch.results.length >= mark + 3)
      await sleep(300)
      expect(watch.results.length === mark + 3, `${watch.results.length - mark} instead of 3`)
      deepStrictEqual(watch.results.map(cursorOf), ids)
      // A ping may have moved the place on.
      expect(sent.length === 2 && sent[0] === undefined && sent[1], `asked with ${JSON.stringify(sent)}`)
    } finally {
      source.close()
      way.close()
    }
  },

  'graphql-sse goes on with Last-Event-ID': async () => {
    const first = transports.SSE()
    await awake(first)
    await settled([first])
    first.close()
    const last = cursorOf(first.results.at(-1))
    for (let i = 0; i < 2; i++) await trigger()
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: `Bearer ${token}`, 'last-event-id': last },
      body: JSON.stringify({ query: subscription, variables }),
    })
    let text = ''
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      text += chunk
      if (text.split('event: next').length > 2) break
    }
    expect(!text.includes(last), 'what was seen comes again')
  },
}
