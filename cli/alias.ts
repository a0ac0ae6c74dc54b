/** `mailtap alias`: the aliases of the domains, and where mail for an address goes. */
import type { Config } from '../src/config/config.js'
import { AliasFile } from '../src/directory/alias-file.js'
import type { AliasTarget } from '../src/directory/alias-target.js'
import type { Alias } from '../src/directory/aliases.js'
import { silent } from '../src/log/log.js'
import { formatAddress } from '../src/mail/address.js'
import { ownDomain } from './account.js'
import { add, remove } from './alias-change.js'
import { resolve } from './alias-resolve.js'
import { CONFIG, DRY_RUN, JSON_OUTPUT, type Given, type Noun } from './command.js'
import { settingsFor } from './settings.js'
import { say, sayJson } from './terminal.js'

export const alias: Noun = {
  name: 'alias',
  summary: 'names that mail goes on from',
  commands: [
    {
      name: 'list',
      summary: 'list the aliases of all domains, or of one',
      argument: '[domain]',
      options: [CONFIG, JSON_OUTPUT],
      run: list,
    },
    {
      name: 'resolve',
      summary: 'tell where mail for an address goes, step by step',
      argument: '<address>',
      options: [CONFIG, JSON_OUTPUT],
      run: resolve,
    },
    {
      name: 'add',
      summary: 'add an alias; <targets> as in aliases(5): "alice, bob@example.org"',
      argument: '<address> <targets>',
      options: [CONFIG, DRY_RUN],
      run: add,
    },
    {
      name: 'remove',
      summary: 'remove an alias',
      argument: '<address>',
      options: [CONFIG, DRY_RUN],
      run: remove,
    },
  ],
}

async function list(given: Given): Promise<void> {
  const config = await settingsFor(given)
  const { argument } = given
  const domains = argument === null ? Object.keys(config.domains) : [ownDomain(config, argument)]
  const all: Listed[] = []
  for (const domain of domains) all.push(...(await aliasesOf(config, domain)))
  if (given.has('json')) return sayJson(all)
  for (const { address, targets } of all) say(`${address}\t${targets.join(', ')}`)
}

interface Listed {
  readonly address: string
  readonly targets: readonly string[]
  /** `file:line`. */
  readonly at: string
}

async function aliasesOf({ domains }: Config, domain: string): Promise<Listed[]> {
  const aliases = await new AliasFile(domains[domain]!.aliases, silent, () => 0).read()
  return [...aliases.values()].map(({ at, name, targets }: Alias) => {
    const address = formatAddress({ local: name, domain })
    return { address, targets: targets.map((target) => asText(target, domain)), at }
  })
}

/** As it would stand in the file; in brackets what is wrong with it. */
function asText(target: AliasTarget, domain: string): string {
  switch (target.kind) {
    case 'address':
      return formatAddress({ local: target.local, domain: target.domain ?? domain })
    case 'program':
      return `|${target.command.join(' ')}`
    case 'file':
      return target.path
    case 'maildir':
      return `${target.path}/`
    case 'include':
      return `:include:${target.path}`
    case 'fail':
      return `:fail: ${target.status} ${target.text}`
    case 'discard':
      return ':blackhole:'
    case 'undeliverable':
    default:
      return `(${target.why})`
  }
}
