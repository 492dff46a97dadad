// ESLint's view of schema.graphql and of the example operations.
// Paths are relative to the folder that is judged: judge.mjs starts ESLint there.
import { readFileSync } from 'node:fs'
import graphql from '@graphql-eslint/eslint-plugin'

const valueTypes = JSON.parse(readFileSync(new URL('value-types.json', import.meta.url), 'utf8'))

// Both blocks must name schema and documents, or the plugin stops with "documents field to be set".
const languageOptions = {
  parser: graphql.parser,
  parserOptions: {
    graphQLConfig: { schema: './schema.graphql', documents: ['./examples/operations/*.graphql'] },
  },
}
const plugins = { '@graphql-eslint': graphql }

export default [
  {
    files: ['schema.graphql'],
    plugins,
    languageOptions,
    rules: {
      ...graphql.configs['flat/schema-recommended'].rules,
      ...graphql.configs['flat/schema-relay'].rules,
      // Connections also offer `nodes`, the rows without their cursors.
      '@graphql-eslint/relay-edge-types': [
        'error',
        // That an edge's node implements Node is judged in judge.mjs, which knows the values that cannot.
        { withEdgeSuffix: true, shouldImplementNode: false, listTypeCanWrapOnlyEdgeType: false },
      ],
      '@graphql-eslint/strict-id-in-types': [
        'error',
        {
          acceptedIdNames: ['id'],
          acceptedIdTypes: ['ID'],
          exceptions: {
            // Values rather than things: they have no life of their own, hence no id. Each with its reason.
            types: Object.keys(valueTypes),
            suffixes: ['Connection', 'Edge', 'Payload'],
          },
        },
      ],
      '@graphql-eslint/require-deprecation-reason': 'error',
      '@graphql-eslint/no-scalar-result-type-on-mutation': 'error',
      '@graphql-eslint/input-name': ['error', { checkInputType: true, caseSensitiveInputType: false }],
    },
  },
  {
    files: ['examples/operations/*.graphql'],
    plugins,
    languageOptions,
    rules: {
      ...graphql.configs['flat/operations-recommended'].rules,
      '@graphql-eslint/require-selections': 'error',
    },
  },
]
