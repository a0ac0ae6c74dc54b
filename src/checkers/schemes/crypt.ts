/** What crypt(3) knows, by the id at its beginning: works out the stored form of a password. Takes its time. */
import { BCRYPT, bcrypt } from './bcrypt.js'
import { MD5_CRYPT, md5Crypt } from './md5-crypt.js'
import { SHA_CRYPT, shaCrypt } from './sha-crypt.js'

/**
 * The stored form of the password with the salt of another one.
 * @throws Error when the setting is none of those forms
 */
export function crypt(password: string, setting: string): string {
  if (SHA_CRYPT.test(setting)) return shaCrypt(password, setting)
  if (MD5_CRYPT.test(setting)) return md5Crypt(password, setting)
  if (BCRYPT.test(setting)) return bcrypt(password, setting)
  throw new Error('not a form of crypt(3)')
}
