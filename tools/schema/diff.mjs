// Compares the schema with the last landed one. A breaking change may land, but not unannounced:
// CHANGELOG.md must name its coordinate under "Unreleased", in a part headed "Breaking".
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildSchema } from 'graphql'
import { CriticalityLevel, diff } from '@graphql-inspector/core'

function git(root, ...args) {
  try {
    return execFileSync('git', ['-C', root, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1 << 28 })
  } catch {
    return null
  }
}

/**
 * The schema that clients hold today: that of origin/main. When what is judged *is* origin/main
 * (a checkout just after landing), the commit before it.
 */
function landed(root, sdl) {
  if (git(root, 'rev-parse', '--git-dir') === null) {
    // An unpacked archive has no history. A checkout that git cannot read has one, and must not pass for an archive.
    if (!existsSync(join(root, '.git'))) return { compared: 'no git checkout: no landed schema to compare with', base: null }
    throw new Error(`git cannot read the checkout ${root}: is git installed, and does the folder belong to this user?`)
  }
  const commit = (ref) => git(root, 'rev-parse', '--verify', '--quiet', `${ref}^{commit}`)?.trim()
  const at = (ref) => git(root, 'show', `${ref}:schema.graphql`)
  const main = commit('origin/main')
  const isMain = main && main === commit('HEAD') && at('HEAD') === sdl
  if (main && !isMain) return { compared: `with origin/main ${main.slice(0, 9)}`, base: at('origin/main') }
  const parent = commit('HEAD~1')
  if (parent) return { compared: `with HEAD~1 ${parent.slice(0, 9)}`, base: at('HEAD~1') }
  const shallow = git(root, 'rev-parse', '--is-shallow-repository')?.trim() === 'true'
  return { compared: `${shallow ? 'shallow clone: ' : ''}no landed commit to compare with`, base: null }
}

/** The lines of CHANGELOG.md under "## [Unreleased]" and there under a heading that says Breaking. */
function announced(root) {
  const file = join(root, 'CHANGELOG.md')
  if (!existsSync(file)) return []
  let unreleased = 0
  let breaking = 0
  const lines = []
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const heading = /^(#+)\s+(.*)$/.exec(line)
    if (heading) {
      const level = heading[1].length
      if (unreleased && level <= unreleased) unreleased = breaking = 0
      if (breaking && level <= breaking) breaking = 0
      if (/unreleased/i.test(heading[2])) unreleased = level
      if (unreleased && /breaking/i.test(heading[2])) breaking = level
    } else if (breaking) lines.push(line)
  }
  return lines
}

/** `Query.orders.first` as the inspector names an argument, `Query.orders(first:)` as people do. */
function names(line, path) {
  const parts = path.split('.')
  const forms = [path]
  if (parts.length === 3) forms.push(`${parts[0]}.${parts[1]}(${parts[2]}:)`)
  // Order.status must not be announced by Order.statusText, CustomerOrder.status or Order.status.x.
  return forms.some((form) =>
    new RegExp(`(?<![\\w.@])${form.replace(/[.()@]/g, '\\$&')}(?!\\w|\\.\\w|\\()`).test(line),
  )
}

export async function breakingChanges({ root, sdl, base }) {
  const old =
    base === 'none' ? { compared: 'compared with nothing, as asked', base: null }
    : base ? { compared: `with ${base}`, base: readFileSync(base, 'utf8') }
    : landed(root, sdl)
  if (old.base === null) {
    return { compared: old.compared.startsWith('with') ? `${old.compared}, which had no schema.graphql` : old.compared, findings: [] }
  }
  const changes = await diff(buildSchema(old.base), buildSchema(sdl))
  const breaking = changes.filter((change) => change.criticality.level === CriticalityLevel.Breaking)
  const lines = announced(root)
  const findings = breaking
    .filter((change) => !lines.some((line) => names(line, change.path ?? '')))
    .map((change) => `${change.message}: CHANGELOG.md must name \`${change.path}\` under "Unreleased", "Breaking"`)
  return { compared: `${old.compared}: ${changes.length} changes, ${breaking.length} breaking and announced`, findings }
}
