/** The way of mail to other domains that `mailtap create` is asked for, and the password for it. */
import { mkdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { writeSmallFile } from '../src/directory/small-file.js'
import { parseSmarthost, type Smarthost } from '../src/mail/smarthost.js'
import type { Given } from './command.js'
import type { CreatePlan } from './create-plan.js'
import { usage } from './exit.js'
import { relayPassword } from './password-input.js'
import { say } from './terminal.js'

export interface RelayPlan {
  /** As typed, in their order; or `mx` alone. */
  readonly via: readonly string[]
  /** Whom the password is for, `joe at host`; `null` if nobody logs in. */
  readonly who: string | null
  /** Holds the password; `null` = to be asked for. */
  readonly passwordFile: string | null
}

/** In the state directory: a secret of the server's, that no reload writes. */
const PASSWORD_FILE = 'relay-password'

/** @returns `null` if none is asked for. @throws Failure, never with a URL that may hold a password */
export function relayOf(given: Given): RelayPlan | null {
  const via = given.all('relay')
  const passwordFile = given.last('relay-password-file')
  const smarthosts = via.filter((each) => each !== 'mx').map(smarthostOf)
  if (smarthosts.length < via.length && via.length > 1)
    throw usage('-R mx stands alone; leave out the other -R')
  const [first, ...others] = smarthosts.filter(({ user }) => user !== null)
  if (first === undefined && passwordFile !== null)
    throw usage('--relay-password-file: nobody logs in; name the user: -R smtps://USER@HOST')
  const other = others.find(({ user, host }) => user !== first!.user || host !== first!.host)
  if (other !== undefined && passwordFile === null)
    throw usage('-R: several logins share one password; if so, give it by --relay-password-file')
  if (via.length === 0) return null
  return { via, who: first === undefined ? null : `${first.user} at ${first.host}`, passwordFile }
}

/**
 * The password, before anything is made.
 * @returns `null` if none is needed
 * @throws Failure when there is nobody to ask
 */
export async function passwordOfRelay(
  relay: RelayPlan | null,
  dryRun: boolean,
): Promise<string | null> {
  if (relay === null || relay.who === null || (dryRun && relay.passwordFile === null)) return null
  return relayPassword(relay.who, relay.passwordFile)
}

/** Where the password is kept. */
export function relayPasswordFile({ state, output }: Pick<CreatePlan, 'state' | 'output'>): string {
  return join(state ?? join(dirname(output), 'mailtap-state'), PASSWORD_FILE)
}

/** Keeps it where the server's own secrets are, 0600. */
export async function keepRelayPassword(plan: CreatePlan, password: string): Promise<void> {
  const file = relayPasswordFile(plan)
  await mkdir(dirname(resolve(file)), { recursive: true, mode: 0o700 })
  await writeSmallFile(dirname(resolve(file)), PASSWORD_FILE, `${password}\n`)
  say(`password for ${plan.relay!.who} in ${file}`)
}

function smarthostOf(text: string): Smarthost {
  const found = parseSmarthost(text)
  if (!('problem' in found)) return found
  throw usage(`-R: ${found.problem}`)
}
