// Writes the modules that relay-compiler judges.
//
// Relay wants every operation in a module whose name starts the operation's name, with the kind as
// the suffix (OrderPage.ts: OrderPageQuery), and fragments as Module_what. ESLint's naming rules
// forbid just that, and examples should read well to everyone; so the examples carry plain names
// (OrderPage) and the modules rename them here, one module per operation or fragment.
//
// The examples hold nothing that only Relay understands. What Relay asks of a *schema* is proved by
// two kinds of generated modules: every type that implements Node is refetched by node(id:), and
// every connection is paged by @connection in both directions.
import {
  Kind, isInterfaceType, isListType, isNonNullType, isObjectType, getNamedType, print, visit,
} from 'graphql'

const suffix = { query: 'Query', mutation: 'Mutation', subscription: 'Subscription' }
const capital = (name) => name[0].toUpperCase() + name.slice(1)
const wrap = (text) => `import { graphql } from 'relay-runtime'\n\ngraphql\`\n${text}\n\`\n`

export function relayModules(schema, operations) {
  const modules = {}
  const add = (module, text) => {
    const file = `${module}.ts`
    if (modules[file]) throw new Error(`two example definitions are called ${module}`)
    modules[file] = wrap(text)
  }
  for (const { document } of operations) {
    for (const definition of document.definitions) {
      add(definition.name.value, print(renamed(definition)))
    }
  }
  for (const [module, text] of proofs(schema)) add(module, text)
  return modules
}

const fragmentName = (name) => ({ ...name, value: `${name.value}_fragment` })

function renamed(definition) {
  const spreads = visit(definition, {
    FragmentSpread: (node) => ({ ...node, name: fragmentName(node.name) }),
  })
  if (definition.kind === Kind.FRAGMENT_DEFINITION) return { ...spreads, name: fragmentName(definition.name) }
  return { ...spreads, name: { ...definition.name, value: definition.name.value + suffix[definition.operation] } }
}

function* proofs(schema) {
  const node = schema.getType('Node')
  const hasNode = isInterfaceType(node) && schema.getQueryType()?.getFields().node
  const things = hasNode ? schema.getPossibleTypes(node) : []
  for (const type of things) {
    const module = `Relay${type.name}`
    yield [module, `fragment ${module}_refetch on ${type.name} @refetchable(queryName: "${module}RefetchQuery") { __typename id }`]
  }
  for (const type of [schema.getQueryType(), ...things]) {
    for (const field of Object.values(type.getFields())) {
      for (const text of paged(type, field)) yield text
    }
  }
}

/** @refetchable paging of one connection field, forward and backward, where its arguments allow it. */
function* paged(type, field) {
  const connection = getNamedType(field.type)
  if (!isObjectType(connection) || !connection.name.endsWith('Connection')) return
  const edges = connection.getFields().edges
  const nodes = edges && getNamedType(edges.type).getFields?.().node
  if (!nodes || isListType(field.type)) return
  const named = new Map(field.args.map((arg) => [arg.name, arg]))
  const id = getNamedType(nodes.type).getFields?.().id ? 'id ' : ''
  for (const [way, count, cursor] of [['Forward', 'first', 'after'], ['Backward', 'last', 'before']]) {
    if (!named.has(count) || !named.has(cursor)) continue
    const module = `Relay${type.name}${capital(field.name)}${way}`
    const required = field.args.filter(
      (arg) => ![count, cursor].includes(arg.name) && isNonNullType(arg.type) && arg.defaultValue === undefined,
    )
    const definitions = [
      `count: {type: "Int", defaultValue: 10}`,
      `cursor: {type: "${named.get(cursor).type}"}`,
      ...required.map((arg) => `${arg.name}: {type: "${arg.type}"}`),
    ]
    const args = [`${count}: $count`, `${cursor}: $cursor`, ...required.map((arg) => `${arg.name}: $${arg.name}`)]
    const filters = required.map((arg) => `"${arg.name}"`).join(', ')
    yield [
      module,
      `fragment ${module}_page on ${type.name}
  @argumentDefinitions(${definitions.join(', ')})
  @refetchable(queryName: "${module}PageQuery") {
  ${field.name}(${args.join(', ')}) @connection(key: "${module}_${field.name}"${filters && `, filters: [${filters}]`}) {
    edges { cursor node { ${id}__typename } }
    pageInfo { endCursor hasNextPage hasPreviousPage startCursor }
  }
}`,
    ]
  }
}
