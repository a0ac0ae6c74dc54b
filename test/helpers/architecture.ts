/** The import rules of the project as a table, and what finds the places that break them. */
import { builtinModules } from 'node:module'
import { type SourceText, importsOf, targetOf } from './imports.js'

interface Rule {
  /** Folders whose files may be imported. */
  readonly from: readonly string[]
  /** A folder that a later version brings: until then it may be missing. */
  readonly later?: true
}

/** Any file of them may be imported. */
const OPEN = ['cred', 'mail', 'sasl', 'net', 'log', 'metrics', 'toml']

/** Folder of `src` (or `maildir`) → what it may import besides itself. A new folder gets a row. */
export const FOLDERS: Readonly<Record<string, Rule>> = {
  smtp: { from: OPEN },
  pop3: { from: OPEN },
  'pop3-lint': { from: [] },
  control: { from: OPEN },

  cred: { from: [] },
  mail: { from: [] },
  toml: { from: [] },
  log: { from: [] },
  process: { from: [] },
  metrics: { from: [] },
  sasl: { from: ['cred'] },
  net: { from: ['cred', 'mail', 'log', 'metrics'] },

  realm: { from: ['directory', 'filter', 'queue', 'store', 'locks', 'cred', 'mail', 'log'] },
  checkers: { from: ['directory', 'cred', 'mail', 'net', 'log'] },
  queue: { from: ['courier', 'relay', 'dsn', 'directory', 'mail', 'log', 'limits'] },
  courier: { from: ['transport', 'directory', 'store', 'mail', 'log'] },
  relay: { from: ['transport', 'sasl', 'cred', 'mail', 'net', 'log', 'limits'] },
  transport: { from: ['mail', 'net', 'log'] },
  dsn: { from: ['mail'] },
  dkim: { from: ['mail', 'log'] },
  store: { from: ['maildir', 'mail', 'log', 'locks'] },
  directory: { from: ['mail', 'log', 'toml'] },
  filter: { from: ['mail', 'net', 'log'] },
  locks: { from: ['log', 'process'] },
  limits: { from: ['cred', 'log', 'net'] },
  service: { from: ['log', 'net', 'process'] },
  workers: { from: ['limits', 'queue', 'cred', 'mail', 'net', 'log'] },
  config: { from: ['mail', 'toml', 'net'] },

  maildir: { from: [] },
}

/** Of these only the file named like the folder may be imported from another one. */
const WORKERS = [
  'realm',
  'checkers',
  'queue',
  'courier',
  'relay',
  'store',
  'directory',
  'filter',
  'locks',
  'limits',
  'service',
  'workers',
  'dkim',
]

/** They put the server together and know every part. */
const ASSEMBLY = [
  ...['mailtap', 'server', 'primary', 'answered', 'worker', 'worker-main', 'serving', 'restart'],
  ...['parts', 'ports', 'counters', 'intake', 'outgoing', 'tending', 'watching'],
].map((name) => `src/${name}.ts`)
/** What a folder may import of another one where the table would let it have more. */
const ONLY: Readonly<Record<string, readonly string[]>> = {
  'config/net': ['src/net/endpoint.ts', 'src/net/networks.ts', 'src/net/this-machine.ts'],
}

const NODE_BUILTINS = new Set(builtinModules)
export const MAX_LINES = 249

/** Every place that breaks a rule, as `file: what is wrong`. */
export function violations(sources: readonly SourceText[]): string[] {
  return [
    ...sources.flatMap(importViolations),
    ...sources.flatMap(formViolations),
    ...doorViolations(sources),
  ]
}

/** Folders of the table that hold no file though they should, and folders that are not in the table. */
export function folderViolations(sources: readonly SourceText[]): string[] {
  const present = new Set(sources.map(({ path }) => folderOf(path)))
  const empty = Object.entries(FOLDERS)
    .filter(([folder, { later }]) => later === undefined && !present.has(folder))
    .map(([folder]) => `${folder}: no file was read`)
  const unknown = [...present]
    .filter((folder) => folder !== 'cli' && folder !== 'src' && !(folder in FOLDERS))
    .map((folder) => `${folder}: not in the table of test/helpers/architecture.ts`)
  return [...empty, ...unknown]
}

/** `src/smtp/x.ts` → `smtp`, `cli/x.ts` → `cli`, `src/mailtap.ts` → `src`. */
function folderOf(path: string): string {
  const [top, ...rest] = path.split('/')
  return top === 'src' && rest.length > 1 ? rest[0]! : top!
}

function importViolations({ path, text }: SourceText): string[] {
  return importsOf(text).flatMap((specifier) => {
    const target = targetOf(path, specifier)
    const wrong = target === null ? packageFault(specifier) : importFault(path, target)
    return wrong === null ? [] : [`${path}: imports ${specifier}: ${wrong}`]
  })
}

function packageFault(specifier: string): string | null {
  return NODE_BUILTINS.has(specifier.split('/')[0]!) ? 'builtins are written with node:' : null
}

/** Why a file may not import another one; `null` if it may. */
function importFault(path: string, target: string): string | null {
  const from = folderOf(path)
  const to = folderOf(target)
  if (from === to) return null
  if (to === 'cli' || to === 'test') return `nothing imports ${to}`
  if (from === 'cli' || ASSEMBLY.includes(path)) return null
  const rule = FOLDERS[from]
  if (rule === undefined) return `only ${ASSEMBLY.join(', ')} and cli/ may`
  if (!rule.from.includes(to))
    return `${from} may import ${rule.from.join(', ') || 'nothing of ours'}`
  if (WORKERS.includes(to) && target !== `src/${to}/${to}.ts`) return `only ${to}/${to}.js may be`
  const only = ONLY[`${from}/${to}`]
  return only?.includes(target) === false ? `only ${only.join(' and ')} may be` : null
}

function formViolations({ path, text }: SourceText): string[] {
  const faults: string[] = []
  const lines = text.split('\n').length - 1
  if (lines > MAX_LINES) faults.push(`${lines} lines; at most ${MAX_LINES}`)
  if (!OPENING.test(text)) faults.push('does not begin with a comment that says what it is for')
  if (/(^|\/)index\.ts$/.test(path))
    faults.push('a file is named after what is in it, not index.ts')
  if (/(^|\/)(utils?|helpers?|misc|common)(\.ts|\/)/.test(path))
    faults.push('a name that says nothing')
  return faults.map((fault) => `${path}: ${fault}`)
}

/** A comment in the first line (after `#!`) whose first sentence ends in a full stop or a colon. */
const OPENING =
  /^(?:#!.*\n)?\/\*\*(?:[^*/]|\*(?!\/)|\/)*?[\p{L}\p{N})`'"][.:](?:[^*/]|\*(?!\/)|\/)*\*\//u

/** Each package has one door: one file that imports it. */
function doorViolations(sources: readonly SourceText[]): string[] {
  return [...doors(sources)]
    .filter(([, paths]) => paths.size > 1)
    .map(([name, paths]) => `${name}: imported by ${[...paths].join(' and ')}; one door is enough`)
}

/** Package name → the files that import it. */
export function doors(sources: readonly SourceText[]): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>()
  for (const { path, text } of sources) {
    for (const name of importsOf(text).flatMap(packageName)) {
      found.set(name, (found.get(name) ?? new Set()).add(path))
    }
  }
  return found
}

function packageName(specifier: string): string[] {
  if (/^(\.|node:)/.test(specifier)) return []
  return [
    specifier
      .split('/')
      .slice(0, specifier.startsWith('@') ? 2 : 1)
      .join('/'),
  ]
}
