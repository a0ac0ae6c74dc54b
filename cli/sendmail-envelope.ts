/** The envelope that sendmail's command line and the header of a message say. */
import { userInfo } from 'node:os'
import { type Address, identity, isInternational } from '../src/mail/address.js'
import { type ListedAddress, parseAddressList, qualified } from '../src/mail/address-list.js'
import { type Drop, MAX_DROP_RECIPIENTS } from '../src/queue/drop-file.js'
import { Exit, Failure, usage } from './exit.js'
import type { Site } from './sendmail-site.js'
import type { SendmailWords } from './sendmail-words.js'

export type DropEnvelope = Omit<Drop, 'size'>

/**
 * `-f`, or the user who calls; `null` = the null path.
 * @throws Failure
 */
export function senderOf({ sender }: SendmailWords, { origin }: Site): Address | null {
  if (sender === null) return qualified({ local: userName(), domain: null }, origin)
  if (sender === '' || sender === '<>') return null
  const { addresses, faults } = parseAddressList(sender)
  const [address, ...others] = addresses
  if (address !== undefined && others.length === 0 && faults.length === 0)
    return qualified(address, origin)
  throw usage(`-f ${sender}: no address; write name@domain, or <> for none`)
}

/** Without a name in the user database the number is one. */
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return `uid-${process.getuid?.() ?? 0}`
  }
}

/**
 * Each word may be a list, as mail programs pass it on.
 * @throws Failure
 */
export function operandsOf({ operands }: SendmailWords): readonly ListedAddress[] {
  return operands.flatMap((word) => {
    if (word.startsWith('-')) throw usage(`${word}: options stand before recipients`)
    const { addresses, faults } = parseAddressList(word)
    if (faults.length === 0) return addresses
    throw new Failure(Exit.badData, `'${faults[0]}' is no address`)
  })
}

/**
 * Each recipient once.
 * @param listed as they were named
 * @throws Failure when there is nobody, or no way to somebody
 */
export function envelopeOf(
  words: SendmailWords,
  site: Site,
  listed: readonly ListedAddress[],
  content: Buffer,
): DropEnvelope {
  const all = listed.map((each) => qualified(each, site.origin))
  const to = [...new Map(all.map((address) => [identity(address), address])).values()]
  if (to.length === 0) throw nobody(words)
  if (to.length > MAX_DROP_RECIPIENTS)
    throw new Failure(Exit.badData, `more than ${MAX_DROP_RECIPIENTS} recipients; send it in parts`)
  requireWays(to, site)
  const from = senderOf(words, site)
  const { notify, content: returned, envelopeId } = words
  const notice = notify === null ? null : { notify, originalRecipient: null }
  return {
    from,
    to,
    notices: to.map(() => notice),
    reports: returned === null && envelopeId === null ? null : { content: returned, envelopeId },
    // Raw UTF-8 in a header is common and passes; only addresses need a server that knows them.
    smtputf8: [...to, ...(from === null ? [] : [from])].some(isInternational),
    eightBit: content.some((byte) => byte > ASCII),
    requireTls: false,
  }
}

const ASCII = 127

function nobody({ fromHeader }: SendmailWords): Failure {
  if (!fromHeader) return usage('no recipients: name them, or use -t to take them from the header')
  return new Failure(Exit.badData, 'no recipients: neither To, Cc nor Bcc names anybody')
}

/** At once, while somebody is there who can be told. */
function requireWays(to: readonly Address[], site: Site): void {
  const lost = to.find(({ domain }) => !site.reaches(domain))
  if (lost === undefined) return
  const what = `${lost.domain}: no domain of this server, and there is no [relay] for mail to others`
  throw new Failure(Exit.unavailable, what)
}
