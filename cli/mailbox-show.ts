/** `mailtap mailbox show`: the messages of a mailbox as POP3 lists them, or one of them for people. */
import { type Entry, list, type Listing, read } from '../maildir/maildir.js'
import { arrivalOf } from '../maildir/names.js'
import { accountOf, named, type Account } from './account.js'
import type { Given } from './command.js'
import { Exit, Failure } from './exit.js'
import { requireMailbox } from './mailbox-work.js'
import { render } from './render.js'
import type { Rendered } from './render-thread.js'
import { settingsFor } from './settings.js'
import { say, sayJson } from './terminal.js'

const NUMBER = /^[1-9]\d{0,9}$/

export async function show(given: Given): Promise<void> {
  const account = accountOf(await settingsFor(given), given.argument!)
  await requireMailbox(account)
  const listing = await list(account.mailbox)
  const [wanted] = given.others
  if (wanted === undefined) return showAll(listing, given)
  const message = await contentOf(listing, entryIn(listing, wanted, account))
  if (given.has('raw')) return void process.stdout.write(message)
  const rendered = await render(message)
  if (given.has('json')) return sayJson(rendered)
  sayRendered(rendered)
}

function showAll({ entries }: Listing, given: Given): void {
  if (given.has('json')) return sayJson(entries.map(factsOf))
  for (const entry of entries) {
    const { number, size, uid, came, folder, flags } = factsOf(entry)
    say([number, size, uid, came ?? '-', `${folder}${flags === '' ? '' : ` ${flags}`}`].join('\t'))
  }
}

function factsOf(entry: Entry) {
  const { seconds } = arrivalOf(entry.base)
  const place = entry.places[0]!
  return {
    number: entry.at + 1,
    size: entry.size,
    uid: entry.uid,
    came: isTime(seconds) ? new Date(seconds * 1000).toISOString() : null,
    folder: place.slice(0, 3),
    flags: /:2,([A-Za-z]*)$/.exec(place)?.[1] ?? '',
  }
}

/** What a date can be made of. */
const isTime = (seconds: number): boolean => seconds < 8_640_000_000_000

/** @throws Failure when there is no such message */
function entryIn({ entries }: Listing, wanted: string, account: Account): Entry {
  const byNumber = NUMBER.test(wanted) ? entries[Number(wanted) - 1] : undefined
  const entry = byNumber ?? entries.find(({ uid }) => uid === wanted)
  if (entry !== undefined) return entry
  const what = `no message '${wanted}'; 'mailtap mailbox show ${named(account)}' lists them`
  throw new Failure(Exit.badData, what)
}

async function contentOf(listing: Listing, entry: Entry): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of await read(listing, entry)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function sayRendered({ text, attachments, ...headers }: Rendered): void {
  for (const [name, value] of Object.entries(headers)) {
    if (value !== '') say(`${name[0]!.toUpperCase()}${name.slice(1)}: ${value}`)
  }
  say()
  for (const line of text.trimEnd().split(/\r?\n/)) say(line)
  if (attachments.length > 0) say()
  for (const { name, type, octets } of attachments) {
    say(`[${name === '' ? 'attachment' : name}: ${type}, ${octets} octets]`)
  }
}
