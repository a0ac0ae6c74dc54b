/**
 * The checker `dovecot`: asks a Dovecot over the socket at which it takes logins of other programs,
 * in version 1 of its protocol. Dovecot takes its time with a no, so a no of ours is as slow.
 */
import { formatAddress } from '../mail/address.js'
import { Argument } from './argument.js'
import { type BackEnd, BackEndChecker, type Question } from './back-end.js'
import type { CheckerType } from './checker-type.js'
import { Guard } from './guard.js'
import { LineSocket } from './line-socket.js'
import { isThisMachine } from './this-machine.js'

/** Milliseconds: a no takes two seconds, and more after some of them. */
const TIMEOUT_MS = 20_000
/** Questions at once: those that are answered with a no stay long. */
const RUNNING = 64
/** Lines before it is ready, and before an answer. */
const MAX_LINES = 100
const VERSION = /^VERSION\t1\t\d+$/
const ID = '1'

export const dovecotType: CheckerType = {
  help: 'a Dovecot, asked over its socket for logins (service auth, unix_listener)',
  argument: 'SOCKET[;timeout=SECONDS]',
  example: 'dovecot:/run/dovecot/auth-client',
  kinds: ['password'],
  knowsUsers: false,
  make(text, { directory }) {
    const argument = new Argument('dovecot', text, ['timeout'])
    const place = placeOf(argument)
    const limits = { timeoutMs: argument.timeoutMs(TIMEOUT_MS), running: RUNNING }
    return new BackEndChecker(new DovecotAuth(place), directory, new Guard('dovecot', limits))
  },
}

/** @throws BadChecker */
function placeOf(argument: Argument): string {
  const { target } = argument
  const [, host] = /^([^/]+):\d{1,5}$/.exec(target) ?? []
  if (host === undefined) return argument.path('the socket')
  if (isThisMachine(host)) return target
  throw argument.bad('passwords go to this machine only: a socket, or 127.0.0.1:PORT')
}

class DovecotAuth implements BackEnd {
  readonly #place: string

  constructor(place: string) {
    this.#place = place
  }

  async verify(question: Question): Promise<boolean> {
    const socket = await LineSocket.open(this.#place, question.signal)
    const close = (): void => socket.close()
    question.signal.addEventListener('abort', close, { once: true })
    try {
      socket.write(`VERSION\t1\t2\nCPID\t${process.pid}\n`)
      await greeted(socket)
      socket.write(`${command(question)}\n`)
      return await answered(socket)
    } finally {
      question.signal.removeEventListener('abort', close)
      socket.close()
    }
  }
}

/** @throws Error unless it is a Dovecot that takes PLAIN */
async function greeted(socket: LineSocket): Promise<void> {
  let plain = false
  for (let lines = 0; lines < MAX_LINES; lines++) {
    const line = await socket.line()
    if (line.startsWith('VERSION\t') && !VERSION.test(line)) break
    if (line.startsWith('MECH\tPLAIN\t') || line === 'MECH\tPLAIN') plain = true
    if (line === 'DONE' && plain) return
    if (line === 'DONE') throw new Error('Dovecot does not offer PLAIN')
  }
  throw new Error('no Dovecot of a version that is understood answers there')
}

function command({ address, password, peer }: Question): string {
  const initial = Buffer.from(`\0${formatAddress(address)}\0${password}`).toString('base64')
  const service = /^[a-z0-9-]{1,32}$/.test(peer.protocol) ? peer.protocol : 'mail'
  const from = peer.address === '' ? [] : [`rip=${peer.address.replace(/[\t\n\\]/g, '')}`]
  // "resp" comes last: everything after it belongs to it.
  const words = ['AUTH', ID, 'PLAIN', `service=${service}`, 'secured', ...from, `resp=${initial}`]
  return words.join('\t')
}

async function answered(socket: LineSocket): Promise<boolean> {
  for (let lines = 0; lines < MAX_LINES; lines++) {
    const [verb, id, ...facts] = (await socket.line()).split('\t')
    if (id !== ID) continue
    if (verb === 'OK') return true
    if (verb !== 'FAIL') break
    const broken = facts.some((fact) => fact === 'temp' || fact === 'code=temp_fail')
    if (broken) throw new Error('Dovecot cannot tell just now')
    return false
  }
  throw new Error('Dovecot answered with something that is neither OK nor FAIL')
}
