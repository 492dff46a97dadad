// One way to subscribe over each transport, each with the client that people use for it.
import { ApolloClient, ApolloLink, InMemoryCache, gql } from '@apollo/client'
import { HttpLink } from '@apollo/client/link/http'
import { createClient as createSse } from 'graphql-sse'
import { createClient as createWs } from 'graphql-ws'
import WebSocket from 'ws'
import { describe, sseUrl, subscription, token, url, variables, wsUrl } from './setup.mjs'

/**
 * What a subscription brings: `results` grows, `ended` says how it ended, `close` ends it.
 * @typedef {{ results: object[], ended?: string, close: () => void }} Watch
 */

export const ws = (options) => createWs({ url: wsUrl, webSocketImpl: WebSocket, retryAttempts: 0, lazy: true, lazyCloseTimeout: 0, ...options })
export const sse = (options) => createSse({ url: sseUrl, retryAttempts: 0, ...options })

/** Collects from a client with the interface that graphql-ws and graphql-sse share. */
export function collect(client, payload) {
  const watch = { results: [] }
  const dispose = client.subscribe(payload, {
    next: (result) => watch.results.push(result),
    error: (reason) => (watch.ended = describe(reason)),
    complete: () => (watch.ended ??= 'complete'),
  })
  watch.close = () => {
    dispose()
    client.dispose()
  }
  return watch
}

const authorization = (bearer) => `Bearer ${bearer}`

export const transports = {
  'graphql-transport-ws': (given = {}, bearer = token) =>
    collect(ws({ connectionParams: { authorization: authorization(bearer) } }), { query: subscription, variables: { ...variables, ...given } }),

  SSE: (given = {}, bearer = token) =>
    collect(sse({ headers: { authorization: authorization(bearer) } }), { query: subscription, variables: { ...variables, ...given } }),

  multipart: (given = {}, bearer = token) => {
    const watch = { results: [] }
    const link = new HttpLink({ uri: url, headers: { authorization: authorization(bearer) } })
    // Not through the client itself, which adds to the document and takes from the result.
    const client = new ApolloClient({ link, cache: new InMemoryCache() })
    const operation = { query: gql(subscription), variables: { ...variables, ...given } }
    const observed = ApolloLink.execute(link, operation, { client }).subscribe({
      // Errors of the transport come under a symbol.
      next: (result) => {
        const [symbol] = Object.getOwnPropertySymbols(result.extensions ?? {})
        if (symbol) watch.transportError = result.extensions[symbol]
        else watch.results.push(result)
      },
      error: (reason) => (watch.ended = describe(reason)),
      complete: () => (watch.ended ??= 'complete'),
    })
    watch.close = () => observed.unsubscribe()
    return watch
  },
}
