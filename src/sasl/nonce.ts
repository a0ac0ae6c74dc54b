/** What makes a challenge unlike any other. */
import { randomBytes } from 'node:crypto'

/** What nobody can guess: printable ASCII without commas. */
export function nonce(): string {
  return randomBytes(18).toString('hex')
}
