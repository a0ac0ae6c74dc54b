/** `sendmail -bv`: tells whether addresses lead somewhere, as the server would say it; nothing is sent. */
import { FilesDirectory } from '../src/directory/files.js'
import { reason, silent } from '../src/log/log.js'
import { type Address, formatAddress } from '../src/mail/address.js'
import { type ListedAddress, qualified } from '../src/mail/address-list.js'
import { Refusal } from '../src/mail/refusal.js'
import { Exit, Failure, usage } from './exit.js'
import { readSite, type Site } from './sendmail-site.js'
import { readConfig } from './settings.js'
import { complain, say } from './terminal.js'

interface Verdict {
  /** As of sysexits(3). */
  readonly code: number
  readonly words: string
}

/** Codes in the order in which they win: what is known before what may pass. */
const WORST = [Exit.noSuchUser, Exit.unavailable, Exit.tryLater]

/** @throws Failure noSuchUser, unavailable or tryLater if not all are good; each was told then */
export async function verify(file: string, listed: readonly ListedAddress[]): Promise<void> {
  if (listed.length === 0) throw usage('-bv: name the addresses')
  const site = await readSite(file)
  const directory = new FilesDirectory({ ...(await readConfig(file)), log: silent })
  const codes = new Set<number>()
  for (const each of listed) {
    const address = qualified(each, site.origin)
    const { code, words } = await verdictOn(address, directory, site)
    codes.add(code)
    const line = `${formatAddress(address)}... ${words}`
    if (code === Exit.ok) say(line)
    else complain(line)
  }
  const worst = WORST.find((code) => codes.has(code))
  if (worst !== undefined) throw new Failure(worst, 'not all addresses are deliverable')
}

async function verdictOn(
  address: Address,
  directory: FilesDirectory,
  site: Site,
): Promise<Verdict> {
  try {
    if (!(await directory.owns(address.domain)))
      return verdictElsewhere(site.reaches(address.domain))
    const targets = await directory.resolve(address)
    if (targets.length > 0) return { code: Exit.ok, words: 'deliverable' }
    return { code: Exit.noSuchUser, words: 'nobody is there' }
  } catch (error) {
    const known = error instanceof Refusal && !error.temporary
    return { code: known ? Exit.noSuchUser : Exit.tryLater, words: reason(error) }
  }
}

const verdictElsewhere = (reachable: boolean): Verdict =>
  reachable
    ? { code: Exit.ok, words: 'deliverable: another server will say' }
    : { code: Exit.unavailable, words: 'no way: there is no [relay] for mail to other domains' }
