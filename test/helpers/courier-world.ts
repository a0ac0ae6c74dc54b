/** A domain on a real disk with every courier of a server, and what they log. */
import { chmod, chown, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeCouriers } from '../../src/courier/all.js'
import { RoutingCourier } from '../../src/courier/routing.js'
import type { Log } from '../../src/log/log.js'
import { formatAddress } from '../../src/mail/address.js'
import { fromBuffer, type Message } from '../../src/mail/message.js'
import { MaildirFolders } from '../../src/store/folders.js'
import { Maildirs } from '../../src/store/maildirs.js'
import { plant } from './domain-tree.js'
import { envelopeOf } from './mail-world.js'

export const DOMAIN = 'example.com'
/** Who owns the domain when the tests run as root: nobody in particular. */
export const OWNER = 65_534
export const isRoot = process.getuid?.() === 0
export const BODY = 'Subject: x\n\nhello\n'

/** @param aliases may say `HERE` for the domain's directory */
export async function courierWorld(aliases: string, users = { alice: '!', bob: '!' }) {
  const tree = await plant({ domains: { [DOMAIN]: { users } } })
  const here = join(tree.root, DOMAIN)
  await writeFile(tree.aliasFile(DOMAIN), aliases.replaceAll('HERE', here))
  if (isRoot) await chown(here, OWNER, OWNER)
  // Programs that run as the owner are found by their path.
  await chmod(tree.root, 0o711)
  const { lines, log } = noting()
  const store = new Maildirs({
    home: (user) => tree.directory.mailboxPath(user),
    roots: () => [tree.root],
    host: 'mx.example',
    reserveBytes: 0,
  })
  const couriers = makeCouriers({
    store,
    folders: new MaildirFolders('mx.example'),
    directoryOf: (domain) => (domain === DOMAIN ? here : null),
    hostname: 'mx.example',
    log,
  })
  const courier = new RoutingCourier(tree.directory, couriers, log)
  /** @returns what became of it, by recipient: `delivered`, or code and status */
  const send = async (
    to: string | readonly string[],
    message: Message = fromBuffer(Buffer.from(BODY)),
    from: string | null = 'joe@far.example',
  ): Promise<string[]> => {
    const all = (typeof to === 'string' ? [to] : to).map((local) => `${local}@${DOMAIN}`)
    const outcomes = await courier.deliver(envelopeOf(from, ...all), message)
    return outcomes.map(({ to: at, refusal }, n) => {
      if (formatAddress(at) !== all[n]) throw new Error('not in order')
      return refusal === null ? 'delivered' : `${refusal.code} ${refusal.status}`
    })
  }
  const mailbox = async (path: string): Promise<string[]> => {
    const names = await readdir(join(here, path, 'new'))
    return Promise.all(names.map((name) => readFile(join(here, path, 'new', name), 'utf8')))
  }
  return { tree, here, courier, send, mailbox, lines }
}

/** Events with the fields that a test may look for. */
function noting(): { lines: string[]; log: Log } {
  const lines: string[] = []
  const note = (event: string, fields = {}): void => {
    lines.push(`${event} ${JSON.stringify(fields)}`)
  }
  return { lines, log: { debug: note, info: note, warn: note, error: note } }
}
