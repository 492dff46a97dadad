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
  const headers = JSON.stringify(
    { Authorization: token ? `Bearer ${token}` : 'Bearer put a token here' },
    null,
    2,
  );

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

  const properties = {
    fetcher: window.GraphiQL.createFetcher({ url: '/graphql', subscriptionUrl: socket.href }),
    plugins: window.GraphiQLPluginExplorer
      ? [window.GraphiQLPluginExplorer.explorerPlugin()]
      : [],
    defaultQuery: query,
    isHeadersEditorEnabled: true,
    defaultEditorToolsVisibility: 'headers',
    shouldPersistHeaders: false,
  };
  if (token) {
    properties.initialHeaders = headers;
    properties.headers = headers;
  }
  window.ReactDOM.createRoot(container).render(
    window.React.createElement(window.GraphiQL, properties),
  );
})();
