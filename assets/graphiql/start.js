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

  const query = `# Press Ctrl-Enter (or the button above) to run the operation at the cursor.
#
# Without a token the API tells its schema and nothing else. Put one into the tab
# "Headers" below, as {"Authorization": "Bearer …"}.
{
  __schema {
    queryType {
      name
      fields {
        name
        description
      }
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
