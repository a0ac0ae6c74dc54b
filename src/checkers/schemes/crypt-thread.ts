/** The thread that works out stored forms: takes a password and a setting, answers with the form. */
import { parentPort } from 'node:worker_threads'
import { crypt } from './crypt.js'

/** What travels there. */
export interface CryptTask {
  readonly password: string
  /** A form that {@link crypt} knows. */
  readonly setting: string
}

parentPort?.on('message', ({ password, setting }: CryptTask) => {
  parentPort!.postMessage(crypt(password, setting))
})
