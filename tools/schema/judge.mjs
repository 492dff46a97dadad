// Runs every judge of the GraphQL schema and of the example operations and reports all findings.
// A judge that could not run is a finding too.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const here = dirname(fileURLToPath(import.meta.url))
const usage = `usage: tools/schema/judge [--root DIR] [--base FILE] [--only JUDGE]... [--keep]

  --root DIR    judge DIR/schema.graphql and DIR/examples/operations/*.graphql (default: this repository)
  --base FILE   compare with this schema instead of the last landed one ("none": compare with nothing)
  --only JUDGE  graphql, conventions, linter, eslint, relay, codegen, inspector or diff; may be repeated
  --keep        keep the scratch folder with the generated code and print its name

Exit status: 0 no findings, 1 findings, 2 the judges could not be started.
`

function refuse(message) {
  console.error(`judge: ${message}`)
  process.exit(2)
}

let options
try {
  options = parseArgs({
    options: {
      root: { type: 'string' },
      base: { type: 'string' },
      only: { type: 'string', multiple: true },
      keep: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  }).values
} catch (error) {
  refuse(`${error.message}\n${usage}`)
}
if (options.help) {
  process.stdout.write(usage)
  process.exit(0)
}

const root = resolve(options.root ?? join(here, '..', '..'))
const schemaFile = join(root, 'schema.graphql')
const operationsFolder = join(root, 'examples', 'operations')
const linter = join(here, '..', 'schema-linter', 'node_modules', '.bin', 'graphql-schema-linter')

if (!existsSync(join(here, 'node_modules', 'graphql')) || !existsSync(linter)) {
  refuse('its npm packages are missing: run scripts/test --judges-only, or npm ci in tools/schema and tools/schema-linter')
}
if (!existsSync(schemaFile)) {
  refuse(`${schemaFile} is missing: write it with \`cargo run -- schema > schema.graphql\``)
}
const operationFiles = existsSync(operationsFolder)
  ? readdirSync(operationsFolder).filter((name) => name.endsWith('.graphql')).sort()
  : []
if (operationFiles.length === 0) {
  refuse(`${operationsFolder} holds no *.graphql operations: the examples are part of what is judged`)
}

const graphql = await import('graphql')
const { relayModules } = await import('./relay.mjs')
const { breakingChanges } = await import('./diff.mjs')
const scratch = mkdtempSync(join(tmpdir(), 'ordergraph-judge-'))
process.on('exit', () => options.keep || rmSync(scratch, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1))

const sdl = readFileSync(schemaFile, 'utf8')
let schema
let operations

/** Runs one of the installed commands; gives its output when it fails and null when it is content. */
function command(name, args, { cwd = root, bin = join(here, 'node_modules', '.bin', name) } = {}) {
  return new Promise((done) => {
    const child = spawn(bin, args, {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      // No colours in logs, and no tool phones home from a test.
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0', CI: 'true', DO_NOT_TRACK: '1' },
    })
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    child.on('error', (error) => done(`${name} could not be started: ${error.message}`))
    child.on('close', (code) => done(code === 0 ? null : output.trim() || `${name} ended with status ${code}`))
  })
}

/** The reference implementation's own opinion of the schema and of the operations. */
function judgeByReference() {
  const findings = []
  try {
    schema = graphql.buildSchema(sdl)
  } catch (error) {
    return String(error)
  }
  const invalid = graphql.validateSchema(schema)
  // Nothing can be validated against an invalid schema.
  if (invalid.length) return invalid.join('\n')
  operations = operationFiles.map((name) => {
    const file = join(operationsFolder, name)
    try {
      return { name, file, document: graphql.parse(new graphql.Source(readFileSync(file, 'utf8'), `examples/operations/${name}`)) }
    } catch (error) {
      findings.push(String(error))
      return null
    }
  })
  operations = operations.filter(Boolean)
  // Every example is judged as one client would hold them, so names are unique over all files.
  const all = graphql.concatAST(operations.map((operation) => operation.document))
  for (const error of graphql.validate(schema, all)) findings.push(String(error))
  for (const { name, document } of operations) {
    if (!document.definitions.some((definition) => definition.kind === graphql.Kind.OPERATION_DEFINITION)) {
      findings.push(`examples/operations/${name}: holds no operation`)
    }
  }
  return findings.join('\n') || null
}

/** Conventions of this API that no ready-made rule checks. */
function judgeByConvention() {
  const findings = []
  for (const type of Object.values(schema.getTypeMap())) {
    if (graphql.isScalarType(type) && !graphql.isSpecifiedScalarType(type) && !type.specifiedByURL) {
      findings.push(`scalar ${type.name} lacks @specifiedBy`)
    }
  }
  const values = JSON.parse(readFileSync(join(here, 'value-types.json'), 'utf8'))
  const node = schema.getType('Node')
  for (const type of Object.values(schema.getTypeMap())) {
    if (!graphql.isObjectType(type) || !type.name.endsWith('Edge')) continue
    const row = graphql.getNamedType(type.getFields().node?.type)
    const isNode = graphql.isObjectType(row) && row.getInterfaces().includes(node)
    if (!isNode && !values[row?.name]) findings.push(`${type.name}.node is neither a Node nor a value of value-types.json`)
  }
  const query = schema.getQueryType()?.getFields() ?? {}
  for (const [name, args, type] of [['node', 'id: ID!', 'Node'], ['nodes', 'ids: [ID!]!', '[Node]!']]) {
    const field = query[name]
    const has = field && `${field.args.map((arg) => `${arg.name}: ${arg.type}`).join(', ')}): ${field.type}`
    if (has !== `${args}): ${type}`) findings.push(`Query must have ${name}(${args}): ${type}`)
  }
  for (const field of Object.values(schema.getMutationType()?.getFields() ?? {})) {
    const name = field.name[0].toUpperCase() + field.name.slice(1)
    const at = `Mutation.${field.name}`
    if (field.args.length !== 1 || String(field.args[0].type) !== `${name}Input!`) {
      findings.push(`${at} must take exactly one argument, input: ${name}Input!`)
    }
    const payload = graphql.getNullableType(field.type)
    if (!graphql.isObjectType(payload) || payload.name !== `${name}Payload`) {
      findings.push(`${at} must return its own ${name}Payload`)
    } else if (String(payload.getFields().userErrors?.type) !== '[UserError!]!') {
      findings.push(`${payload.name} must have userErrors: [UserError!]!`)
    }
  }
  return findings.join('\n') || null
}

/** Scalars are strings in generated clients: that is what they are on the wire. */
function scalars() {
  return Object.fromEntries(
    Object.values(schema.getTypeMap())
      .filter((type) => graphql.isScalarType(type) && !graphql.isSpecifiedScalarType(type))
      .map((type) => [type.name, 'string']),
  )
}

async function judgeByRelay() {
  const folder = join(scratch, 'relay')
  mkdirSync(join(folder, 'src'), { recursive: true })
  const modules = relayModules(schema, operations)
  for (const [name, text] of Object.entries(modules)) writeFileSync(join(folder, 'src', name), text)
  writeFileSync(
    join(folder, 'relay.config.json'),
    JSON.stringify({
      src: './src',
      schema: './schema.graphql',
      language: 'typescript',
      eagerEsModules: true,
      customScalarTypes: scalars(),
    }),
  )
  writeFileSync(join(folder, 'schema.graphql'), sdl)
  // Without --noWatchman a machine that has watchman would crawl the scratch folder through it.
  return command('relay-compiler', ['--noWatchman', 'relay.config.json'], { cwd: folder })
}

async function judgeByCodegen() {
  const config = join(scratch, 'codegen.json')
  writeFileSync(
    config,
    JSON.stringify({
      schema: schemaFile,
      documents: operations.map((operation) => operation.file),
      generates: {
        [join(scratch, 'codegen') + '/']: {
          preset: 'client',
          presetConfig: { persistedDocuments: true },
          config: { strictScalars: true, scalars: scalars(), useTypeImports: true },
        },
      },
    }),
  )
  // From its own folder, because codegen looks for its presets where it is started.
  return command('graphql-codegen', ['--config', config, '--errors-only'], { cwd: here })
}

const judges = {
  graphql: judgeByReference,
  conventions: judgeByConvention,
  linter: () => command('graphql-schema-linter', ['--format', 'compact', 'schema.graphql'], { bin: linter }),
  eslint: () =>
    command('eslint', [
      '--config', join(here, 'eslint.config.mjs'), '--no-inline-config', '--max-warnings', '0',
      'schema.graphql', 'examples/operations',
    ]),
  relay: judgeByRelay,
  codegen: judgeByCodegen,
  inspector: () =>
    command('graphql-inspector', ['validate', '--deprecated', '--onlyErrors', 'examples/operations/*.graphql', 'schema.graphql']),
  diff: async () => {
    const { compared, findings } = await breakingChanges({ root, sdl, base: options.base })
    note = compared
    return findings.join('\n') || null
  },
}

const names = Object.keys(judges)
for (const name of options.only ?? []) {
  if (!names.includes(name)) refuse(`there is no judge ${name}; there are ${names.join(', ')}`)
}
let note = ''
const failed = []
const ran = []
for (const name of names) {
  const wanted = !options.only || options.only.includes(name)
  // The others need the parsed schema, so the reference judge always runs, and first.
  if (!wanted && name !== 'graphql') continue
  let finding
  try {
    finding = await judges[name]()
  } catch (error) {
    finding = error.stack
  }
  ran.push(name)
  if (finding === null) {
    console.log(`  ok    ${name}${note && ` (${note})`}`)
  } else {
    failed.push(name)
    console.log(`  FAIL  ${name}\n${finding.replace(/^/gm, '        ')}`)
    if (name === 'graphql') break
  }
  note = ''
}
if (options.keep) console.log(`scratch folder: ${scratch}`)
if (failed.length) {
  console.log(`judge: ${failed.join(', ')} found fault (rules: tools/schema/README.md)`)
  process.exit(1)
}
console.log(`judge: ${ran.length} judges, ${operationFiles.length} operation files, no findings`)
