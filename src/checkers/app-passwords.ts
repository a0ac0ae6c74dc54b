/** Which app password of a user a password is: a digest for each, which is next to nothing. */
import { randomInt } from 'node:crypto'
import { type AppPassword, dayOf, opens, type User } from '../directory/directory.js'
import { newSsha512 } from './schemes/digest.js'
import { readStored } from './schemes/schemes.js'

/** Nothing that looks like something else. 32 characters, 5 bits each. */
const ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789'
const GROUPS = 4
const GROUP_LENGTH = 4
/** As people type it: with the dashes that are shown, with spaces, with neither. */
const TYPED = /^[a-z2-9]{4}(?:[ -]?[a-z2-9]{4}){3}$/i

/** The app password that a login is made with, if it may open that protocol today. @param ms since 1970 */
export async function appPasswordOf(
  { appPasswords = [] }: User,
  password: string,
  protocol: string,
  ms = Date.now(),
): Promise<AppPassword | null> {
  const day = dayOf(ms)
  const plain = withoutGaps(password)
  for (const app of appPasswords) {
    const reading = readStored(app.hash)
    const good = 'problem' in reading ? false : await reading.matches(plain)
    if (good && opens(app, protocol, day)) return app
  }
  return null
}

/** A new one of 80 random bits: as it is shown once, and as it is stored. */
export function newAppPassword(): { readonly shown: string; readonly hash: string } {
  const shown = Array.from({ length: GROUPS }, group).join('-')
  return { shown, hash: newSsha512(withoutGaps(shown)) }
}

function group(): string {
  const letters = Array.from({ length: GROUP_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)])
  return letters.join('')
}

/** What is no such password stays as it is: a person may have stored a digest of another one. */
function withoutGaps(password: string): string {
  return TYPED.test(password) ? password.replace(/[ -]/g, '').toLowerCase() : password
}
