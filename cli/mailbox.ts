/** `mailtap mailbox`: the mail itself, straight on the disk; the server may be running. */
import { readdir } from 'node:fs/promises'
import { errorCode } from '../maildir/maildir.js'
import { localOf } from '../src/directory/key.js'
import { formatAddress } from '../src/mail/address.js'
import { accountIn, named, ownDomain, type Account } from './account.js'
import { CONFIG, DRY_RUN, JSON_OUTPUT, type Given, type Noun } from './command.js'
import { CHECK_OPTIONS, checkMailbox } from './mailbox-check.js'
import { deliver } from './mailbox-deliver.js'
import { exportMailbox } from './mailbox-export.js'
import { FORCE_QUOTA } from './mailbox-quota.js'
import { importMail, IMPORT_OPTIONS } from './mailbox-import.js'
import { show } from './mailbox-show.js'
import { UNDELETE_OPTIONS, undeleteMail } from './mailbox-undelete.js'
import { settingsFor } from './settings.js'
import { say, sayJson } from './terminal.js'
import { countMessages } from './user-show.js'

export const mailbox: Noun = {
  name: 'mailbox',
  summary: 'the mail of users: look at it, check it, bring it in and out',
  commands: [
    {
      name: 'list',
      summary: 'list the mailboxes of all domains, or of one',
      argument: '[domain]',
      options: [CONFIG, JSON_OUTPUT],
      run: list,
    },
    {
      name: 'show',
      summary: 'list the messages of a user, or show one, by its number or its UIDL',
      argument: '<address> [message]',
      options: [
        CONFIG,
        { flags: '--raw', help: 'print the message as it is, with CR LF line ends' },
        JSON_OUTPUT,
      ],
      run: show,
    },
    {
      name: 'check',
      summary: 'read all of a mailbox and tell what is wrong with it',
      argument: '<address>',
      options: CHECK_OPTIONS,
      run: checkMailbox,
    },
    {
      name: 'deliver',
      summary: 'deliver the message on standard input; ends with a code of sysexits(3)',
      argument: '<address>',
      options: [
        CONFIG,
        { flags: '-f, --from <address>', help: 'the sender, for Return-Path (default: none)' },
        FORCE_QUOTA,
        DRY_RUN,
      ],
      run: deliver,
    },
    {
      name: 'undelete',
      summary: 'put deleted mail back; without options all that is in the trash',
      argument: '<address>',
      options: UNDELETE_OPTIONS,
      run: undeleteMail,
    },
    {
      name: 'import',
      summary: 'take mail over, from another server (its clients fetch nothing twice) or a file',
      argument: '<path> <address>',
      options: [CONFIG, ...IMPORT_OPTIONS, DRY_RUN],
      run: importMail,
    },
    {
      name: 'export',
      summary: 'write all mail of a user to a new file or Maildir',
      argument: '<address> <path>',
      options: [
        CONFIG,
        { flags: '--format <format>', help: 'mbox (mboxrd) or maildir; default: maildir' },
        DRY_RUN,
      ],
      run: exportMailbox,
    },
  ],
}

async function list(given: Given): Promise<void> {
  const config = await settingsFor(given)
  const { argument } = given
  const names = argument === null ? Object.keys(config.domains) : [ownDomain(config, argument)]
  const all: { address: string; messages: number; path: string }[] = []
  for (const domain of names) {
    for (const account of await mailboxesOf(domain, config.domains[domain]!.path)) {
      const messages = await countMessages(account.mailbox)
      // A directory that is no Maildir.
      if (messages !== null) all.push({ address: named(account), messages, path: account.mailbox })
    }
  }
  if (given.has('json')) return sayJson(all)
  for (const { address, messages, path } of all) say(`${address}\t${messages}\t${path}`)
}

async function mailboxesOf(domain: string, path: string): Promise<Account[]> {
  const names = await directoriesIn(path)
  const locals = names.map(localOf).filter((local) => local !== null)
  const accounts = locals.map((local) => accountIn({ path }, { local, domain }))
  return accounts.toSorted((a, b) => (formatAddress(a.address) < formatAddress(b.address) ? -1 : 1))
}

async function directoriesIn(path: string): Promise<string[]> {
  try {
    const all = await readdir(path, { withFileTypes: true })
    return all
      .filter((each) => each.isDirectory() && !each.name.startsWith('.'))
      .map(({ name }) => name)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return []
    throw error
  }
}
