'use strict';

(function start() {
  const container = document.getElementById('graphiql');
  if (!window.React || !window.ReactDOM || !window.GraphiQL) {
    container.textContent = 'The parts of this page could not be loaded.';
    return;
  }

  // A link may carry a token behind the hash, which browsers never send: /#token=…
  const token = new URLSearchParams(window.location.hash.slice(1)).get('token');
  if (token) {
    window.history.replaceState(null, '', window.location.pathname + window.location.search);
  }
  const headers = token
    ? JSON.stringify({ Authorization: `Bearer ${token}` }, null, 2)
    : undefined;

  const query = `# Who you are here, and the five newest orders that
# exist for you. Ctrl-Enter runs the operation at the
# cursor; so does the button.
#
# No data without a token: put one into "Headers" below,
# {"Authorization": "Bearer …"}. With the demo group the
# server prints one for each role when it starts.
query Start {
  viewer {
    subject
    roles
    scope
  }
  orders(first: 5) {
    totalCount
    nodes {
      id
      number
      status
      stage
      overdue
      total {
        amount
        currencyCode
      }
      # What you can do with it, and what stands in the way.
      availableActions {
        action
        allowed
        blockedBy {
          message
        }
      }
    }
  }
}

# Stays open and shows what happens, as it happens:
# do something in another tab.
subscription Live {
  orderEvents {
    cursor
    event {
      kind
      occurredAt
    }
    order {
      number
      status
    }
  }
}
`;

  const socket = new URL('/graphql', window.location.href);
  socket.protocol = socket.protocol === 'https:' ? 'wss:' : 'ws:';

  window.ReactDOM.createRoot(container).render(
    window.React.createElement(window.GraphiQL, {
      // The headers of the editor go into the first message of a socket as well.
      fetcher: window.GraphiQL.createFetcher({ url: '/graphql', subscriptionUrl: socket.href }),
      plugins: window.GraphiQLPluginExplorer
        ? [window.GraphiQLPluginExplorer.explorerPlugin()]
        : [],
      defaultQuery: query,
      headers,
      defaultHeaders: headers,
      isHeadersEditorEnabled: true,
      defaultEditorToolsVisibility: 'headers',
      shouldPersistHeaders: false,
    }),
  );
})();
