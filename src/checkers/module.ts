/**
 * The checker `module`: a plugin, which is an npm package or a file that exports `createChecker`. It
 * runs inside the server, so it is trusted with the passwords that it sees; but a slow or broken one
 * holds nobody else up, and whoever it names must be somebody of our domains.
 */
import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { AvatarId } from '../cred/checker.js'
import type { Credentials, Kind } from '../cred/credentials.js'
import type { Directory, KnownUser, KnownUsers } from '../directory/directory.js'
import { type Address, formatAddress, parseAddress } from '../mail/address.js'
import { parseQuota } from '../mail/quota.js'
import { Argument } from './argument.js'
import { admitted, ownAddress } from './back-end.js'
import type { CheckerType, UserChecker } from './checker-type.js'
import { Guard, GUARD } from './guard.js'

/** What a plugin is given. */
export interface PluginHost {
  /** What stood behind `argument=`; `null` if nothing did. */
  readonly argument: string | null
  /** The address of ours that a login name means, `local@domain`; `null` if it is none. */
  addressOf(username: string): Promise<string | null>
}

/** What a plugin tells of a user; all of it may be left out. */
export interface PluginUser {
  /** Such as `2GB`. */
  readonly quota?: string
  readonly name?: string
  readonly disabled?: boolean
}

/** What a plugin makes. Both methods throw when they cannot tell. */
export interface PluginChecker {
  /** @returns `local@domain`, or `null` for a no */
  requestAvatarId(credentials: Credentials): Promise<string | null> | string | null
  /** @param address `local@domain` @returns `null` if there is no such user */
  findUser?(address: string): Promise<PluginUser | null> | PluginUser | null
}

/** What the module of a plugin exports. */
export interface Plugin {
  createChecker(host: PluginHost): Promise<PluginChecker> | PluginChecker
}

const KINDS: readonly Kind[] = ['password', 'secret']
const NAME = /^(?:@[a-z0-9-][a-z0-9._-]*\/)?[a-z0-9][a-z0-9._-]*$/

export const moduleType: CheckerType = {
  help: 'a plugin: an npm package, or a file, that exports createChecker',
  argument: 'NAME_OR_PATH[;argument=TEXT][;kinds=password,secret][;users=no|yes][;timeout=SECONDS]',
  example: 'module:/etc/mailtap/checker.js;users=yes',
  kinds: ['password'],
  knowsUsers: true,
  make(text, { directory }) {
    const argument = new Argument('module', text, ['argument', 'kinds', 'users', 'timeout'])
    const place = placeOf(argument)
    const knows = argument.word('users', ['no', 'yes']) === 'yes'
    const guard = new Guard('module', { timeoutMs: argument.timeoutMs(GUARD.timeoutMs) })
    const loading = new Loading(place, argument.get('argument'), directory)
    return new PluggedChecker(loading, { kinds: kindsOf(argument), knows, guard, directory })
  },
}

/** @throws BadChecker */
function placeOf(argument: Argument): string {
  const { target } = argument
  if (isAbsolute(target)) return pathToFileURL(target).href
  if (NAME.test(target)) return target
  throw argument.bad('write the name of a package or the absolute path of a file after the colon')
}

/** @throws BadChecker */
function kindsOf(argument: Argument): readonly Kind[] {
  const words = (argument.get('kinds') ?? 'password').split(',')
  const kinds = KINDS.filter((kind) => words.includes(kind))
  if (kinds.length === words.length) return kinds
  throw argument.bad(`kinds= takes ${KINDS.join(' and ')}`)
}

/** The plugin, loaded when it is first needed; one that could not be is tried again. */
class Loading {
  readonly #place: string
  readonly #host: PluginHost
  #checker: Promise<PluginChecker> | null = null

  constructor(place: string, argument: string | null, directory: Directory) {
    this.#place = place
    this.#host = {
      argument,
      addressOf: async (username) => {
        const address = await ownAddress(directory, username)
        return address && formatAddress(address)
      },
    }
  }

  checker(): Promise<PluginChecker> {
    this.#checker ??= this.#load().catch((error: unknown) => {
      this.#checker = null
      throw error
    })
    return this.#checker
  }

  async #load(): Promise<PluginChecker> {
    const { createChecker } = (await import(this.#place)) as Partial<Plugin>
    if (typeof createChecker !== 'function') {
      throw new TypeError(`${this.#place} exports no function createChecker`)
    }
    const checker = await createChecker(this.#host)
    if (typeof checker?.requestAvatarId === 'function') return checker
    throw new TypeError(`createChecker of ${this.#place} made something that is no checker`)
  }
}

interface Plugged {
  readonly kinds: readonly Kind[]
  readonly knows: boolean
  readonly guard: Guard
  readonly directory: Directory
}

class PluggedChecker implements UserChecker {
  readonly kinds: readonly Kind[]
  readonly users?: KnownUsers
  readonly #loading: Loading
  readonly #plugged: Plugged

  constructor(loading: Loading, plugged: Plugged) {
    this.#loading = loading
    this.#plugged = plugged
    this.kinds = plugged.kinds
    if (plugged.knows) this.users = { find: (address) => this.#find(address) }
  }

  async requestAvatarId(credentials: Credentials): Promise<AvatarId | null> {
    if (!this.kinds.includes(credentials.kind)) return null
    const { guard, directory, knows } = this.#plugged
    const id: unknown = await guard.run(
      async () => (await this.#loading.checker()).requestAvatarId(credentials),
      credentials.peer.address,
    )
    if (id === null) return null
    const named = typeof id === 'string' ? parseAddress(id) : null
    if (named === null) throw new TypeError('the plugin answered with what is no address')
    const address = await ownAddress(directory, formatAddress(named))
    return address && admitted(directory, address, knows)
  }

  async #find(address: Address): Promise<KnownUser | null> {
    const user: unknown = await this.#plugged.guard.run(async () => {
      const checker = await this.#loading.checker()
      if (checker.findUser === undefined) throw new TypeError('the plugin has no findUser')
      return checker.findUser(formatAddress(address))
    })
    return user === null ? null : knownFrom(user)
  }
}

function knownFrom(user: unknown): KnownUser {
  if (typeof user !== 'object' || user === null) {
    throw new TypeError('the plugin answered with what is no user')
  }
  const { quota, name, disabled }: Readonly<Record<keyof PluginUser, unknown>> = {
    quota: undefined,
    name: undefined,
    disabled: undefined,
    ...user,
  }
  const limit = typeof quota === 'string' ? parseQuota(quota) : null
  if (quota !== undefined && limit === null) throw new TypeError('the plugin named no quota')
  return { quota: limit, name: typeof name === 'string' ? name : null, disabled: disabled === true }
}
