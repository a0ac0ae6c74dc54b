/** The domains and users of `mailtap create`: who is there, who is new, and making them. */
import { resolve } from 'node:path'
import { accountIn, named, type Account } from './account.js'
import type { DomainPlan } from './create-plan.js'
import { isThere, makeDomain, makeMailbox, makeUser } from './make.js'
import { generated, onTerminal, promptTwice, type Password } from './password-input.js'
import { storedLogin } from './scheme.js'
import { say } from './terminal.js'

/** A domain to make, and the users that it shall have. */
export interface NewAccounts {
  readonly domain: DomainPlan
  readonly users: readonly NewUser[]
}

interface NewUser {
  readonly name: string
  readonly account: Account
  /** True if there is such a user: it stays as it is. */
  readonly there: boolean
  /** `null` when none is needed. */
  readonly password: Password | null
}

/**
 * Finds out who is new and asks for the passwords, before anything is made.
 * @throws Failure
 */
export async function passwordsFor(
  domains: readonly DomainPlan[],
  { dryRun, generate }: { readonly dryRun: boolean; readonly generate: boolean },
): Promise<NewAccounts[]> {
  const all: NewAccounts[] = []
  for (const domain of domains) {
    const users: NewUser[] = []
    for (const { local, password } of domain.users) {
      const account = accountOf(domain, local)
      const there = await isThere(account.userFile)
      const needed = !there && !dryRun
      users.push({
        name: named(account),
        account,
        there,
        password: needed ? await ask(account, password, generate) : null,
      })
    }
    all.push({ domain, users })
  }
  return all
}

/** Makes them and says so. A user that is there keeps its password. */
export async function makeAll(all: readonly NewAccounts[]): Promise<void> {
  for (const { domain, users } of all) {
    await makeDomain(resolve(domain.path))
    say(`domain ${domain.name} in ${domain.path}`)
    const postmaster = accountOf(domain, 'postmaster')
    await makeMailbox(postmaster)
    for (const user of users) await makeNamed(user)
    if (!(await isThere(postmaster.userFile))) {
      say(
        `mailbox ${named(postmaster)} (nobody can log in to it yet: mailtap user add ${named(postmaster)})`,
      )
    }
  }
}

async function makeNamed({ name, account, password }: NewUser): Promise<void> {
  if (password === null) return say(`user ${name} was there already and is unchanged`)
  await makeUser(account, await storedLogin(password.text))
  say(password.generated ? `user ${name}, password ${password.text}` : `user ${name}`)
}

async function ask(account: Account, said: string | null, generate: boolean): Promise<Password> {
  if (said !== null) return { text: said, generated: false }
  return onTerminal() && !generate
    ? { text: await promptTwice(named(account)), generated: false }
    : generated()
}

const accountOf = (domain: DomainPlan, local: string): Account =>
  accountIn({ path: resolve(domain.path) }, { local, domain: domain.name })
