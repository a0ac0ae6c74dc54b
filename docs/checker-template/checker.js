/**
 * A checker for mailtap: copy this folder and make it ask what you have. Here it is a JSON file of
 * people, `{ "alice@example.com": { "password": "…", "quota": "2GB" } }`, whose path is the argument:
 *
 *     auth = ["module:/etc/mailtap/checker/checker.js;users=yes;argument=/etc/mailtap/people.json"]
 *
 * Three answers are possible, and mixing them up does harm: an address is "yes", `null` is "no", and
 * throwing means "cannot tell just now". Mail programs forget a password that is called wrong.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { readFile } from 'node:fs/promises'

/**
 * Called once.
 * @param {{ argument: string | null, addressOf(username: string): Promise<string | null> }} host
 */
export function createChecker({ argument, addressOf }) {
  if (argument === null) throw new Error('name the file of people: argument=/path/people.json')
  const person = async (address) => {
    const people = JSON.parse(await readFile(argument, 'utf8'))
    return Object.hasOwn(people, address) ? people[address] : null
  }
  return {
    /** Who is it? Credentials of the kind "password" have a username and a password. */
    async requestAvatarId({ username, password }) {
      const address = await addressOf(username)
      if (address === null) return null
      const known = await person(address)
      // Compared also for nobody, so that both take the same time.
      const good = sameText(known?.password ?? '', password)
      return good && known !== null ? address : null
    },

    /** Is there such a user? Asked for each recipient, if the config says users=yes. */
    async findUser(address) {
      const known = await person(address)
      return known === null ? null : { quota: known.quota, disabled: known.disabled === true }
    },
  }
}

function sameText(one, other) {
  const digest = (text) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(one), digest(other))
}
