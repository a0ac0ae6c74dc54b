import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { FOLDERS, MAX_LINES, doors, folderViolations, violations } from './helpers/architecture.js'
import { type SourceText, importsOf, readSources, targetOf } from './helpers/imports.js'

const ROOT = join(import.meta.dirname, '..')
const sources = readSources(ROOT, ['cli', 'maildir', 'src'])

describe('the source of mailtap', () => {
  test('was read, and no folder of the table is missing or unknown', () => {
    expect(sources.length).toBeGreaterThan(50)
    expect(sources.flatMap(({ text }) => importsOf(text)).length).toBeGreaterThan(100)
    expect(folderViolations(sources)).toEqual([])
  })

  test('imports only files that are there', () => {
    const present = new Set(sources.map(({ path }) => path))
    const missing = sources.flatMap(({ path, text }) =>
      importsOf(text)
        .map((specifier) => targetOf(path, specifier))
        .filter((target) => target !== null && target.endsWith('.ts') && !present.has(target))
        .map((target) => `${path}: ${target}`),
    )
    expect(missing).toEqual([])
  })

  test('keeps the rules of its architecture', () => {
    expect(violations(sources)).toEqual([])
  })

  test('opens exactly one door to each package that it depends on', () => {
    const text = readFileSync(join(ROOT, 'package.json'), 'utf8')
    // Peers are those that a server may do without until something of its config needs them.
    const { dependencies, peerDependencies } = JSON.parse(text) as Record<string, object>
    const named = Object.keys({ ...dependencies, ...peerDependencies })
    expect([...doors(sources).keys()].toSorted()).toEqual(named.toSorted())
  })
})

/** A file that breaks no rule but those that its body breaks. */
function file(path: string, body: string): SourceText {
  return { path, text: `/** Does one thing. */\n${body}\n` }
}

describe('the check itself', () => {
  test.each([
    ["import { a } from './x.js'", './x.js'],
    ["import type { A } from './x.js'", './x.js'],
    ["import {\n  a,\n  type B,\n} from './x.js'", './x.js'],
    ["import a, { b } from './x.js'", './x.js'],
    ["import * as a from './x.js'", './x.js'],
    ['import "./x.js"', './x.js'],
    ["export { a } from './x.js'", './x.js'],
    ["export * from './x.js'", './x.js'],
    ["export type { A } from './x.js'", './x.js'],
    ["const a = await import('./x.js')", './x.js'],
    ["type A = import('./x.js').A", './x.js'],
    ["const a = require('pg')", 'pg'],
    ['const a = await import(\n  `./x.js`,\n)', './x.js'],
  ])('sees %j', (text, specifier) => {
    expect(importsOf(text)).toEqual([specifier])
  })

  test('takes no other text for an import', () => {
    const text = "export const from = 'a'\nexport function f(x = 'b') {}\nconst s = \"import 'c'\""
    expect(importsOf(text)).toEqual([])
  })

  test('finds nothing wrong with what is right', () => {
    const right = [
      file('src/smtp/data.ts', "import type { Envelope } from '../mail/envelope.js'"),
      file('src/realm/realm.ts', "import type { Store } from '../store/store.js'"),
      file('src/store/maildirs.ts', "import { deliver } from '../../maildir/deliver.js'"),
      file('src/mailtap.ts', "import { Maildirs } from './store/maildirs.js'"),
      file('cli/run.ts', "import { Spool } from '../src/queue/spool.js'"),
      file('src/log/json.ts', "import { pino } from 'pino'\nimport 'node:fs'"),
    ]
    expect(violations(right)).toEqual([])
  })

  test.each([
    ['a protocol that knows a worker', 'src/pop3/x.ts', '../store/store.js', 'pop3 may import'],
    ['a type of a worker in a protocol', 'src/smtp/x.ts', '../queue/queue.js', 'smtp may import'],
    ['a worker that knows a protocol', 'src/queue/x.ts', '../smtp/reply.js', 'queue may import'],
    ['an inner file of a worker', 'src/realm/x.ts', '../store/maildirs.js', 'only store/store.js'],
    ['cred that knows mail', 'src/cred/x.ts', '../mail/address.js', 'nothing of ours'],
    ['maildir that knows mail', 'maildir/x.ts', '../src/mail/address.js', 'nothing of ours'],
    ['settings inside a part', 'src/store/x.ts', '../config/config.js', 'store may import'],
    ['config with more of net', 'src/config/x.ts', '../net/wire.js', 'only src/net/endpoint.ts'],
    ['the whole in a part', 'src/net/x.ts', '../mailtap.js', 'net may import'],
    ['the command line in a part', 'src/log/x.ts', '../../cli/exit.js', 'nothing imports cli'],
    ['a test in the source', 'cli/x.ts', '../test/helpers/imports.js', 'nothing imports test'],
    ['a stray file in src', 'src/stray.ts', './mail/address.js', 'only src/mailtap.ts'],
    ['a builtin without node:', 'src/log/x.ts', 'fs/promises', 'node:'],
  ])('reports %s', (_, path, specifier, complaint) => {
    const found = violations([file(path, `import { x } from '${specifier}'`)])
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(`${path}: imports ${specifier}: `)
    expect(found[0]).toContain(complaint)
  })

  test('reports a dynamic import as it does a static one', () => {
    const found = violations([file('src/pop3/x.ts', "await import('../store/maildirs.js')")])
    expect(found).toHaveLength(1)
  })

  test('reports a second door to a package', () => {
    const twice = ['src/log/a.ts', 'src/config/b.ts'].map((path) =>
      file(path, "import { z } from 'zod/v4'"),
    )
    expect(violations(twice)).toEqual([
      'zod: imported by src/log/a.ts and src/config/b.ts; one door is enough',
    ])
  })

  test.each([
    ['a file without a comment', 'src/log/x.ts', 'export const a = 1\n'],
    ['a file whose comment says nothing', 'src/log/x.ts', '/** x */\nexport const a = 1\n'],
    ['a long file', 'src/log/x.ts', `/** Long. */\n${'//\n'.repeat(MAX_LINES)}`],
    ['an index file', 'src/log/index.ts', '/** All of it. */\n'],
    ['a drawer for anything', 'src/log/utils.ts', '/** Helps. */\n'],
  ])('reports %s', (_, path, text) => {
    expect(violations([{ path, text }])).toHaveLength(1)
  })

  test('reports a folder that is empty and one that is unknown', () => {
    const some = Object.keys(FOLDERS)
      .filter((folder) => folder !== 'pop3')
      .map((folder) => file(folder === 'maildir' ? 'maildir/x.ts' : `src/${folder}/x.ts`, ''))
    expect(folderViolations([...some, file('src/imap/x.ts', '')])).toEqual([
      'pop3: no file was read',
      'imap: not in the table of test/helpers/architecture.ts',
    ])
    expect(folderViolations([]).length).toBeGreaterThan(10)
  })
})
