/** What is said on the socket of saslauthd(8): four strings with their lengths, one of them back. */
import { LineSocket } from './line-socket.js'

export interface SaslauthdQuestion {
  readonly user: string
  readonly password: string
  /** As PAM calls it: a file in /etc/pam.d. */
  readonly service: string
  readonly realm: string
}

/** Octets of an answer; it is two letters, and a word for the log behind them. */
const MAX_ANSWER = 1_024
const LENGTH_OCTETS = 2

/** @throws Error when the answer is neither yes nor no */
export async function askSaslauthd(
  path: string,
  { user, password, service, realm }: SaslauthdQuestion,
  signal: AbortSignal,
): Promise<boolean> {
  const socket = await LineSocket.open(path, signal)
  const close = (): void => socket.close()
  signal.addEventListener('abort', close, { once: true })
  try {
    socket.write(Buffer.concat([user, password, service, realm].map(counted)))
    const length = (await socket.octets(LENGTH_OCTETS)).readUInt16BE()
    if (length > MAX_ANSWER) throw new Error('saslauthd says too much')
    const answer = (await socket.octets(length)).toString('latin1')
    if (/^OK\b/.test(answer)) return true
    if (/^NO\b/.test(answer)) return false
    throw new Error('saslauthd said neither OK nor NO')
  } finally {
    signal.removeEventListener('abort', close)
    socket.close()
  }
}

function counted(text: string): Buffer {
  const bytes = Buffer.from(text)
  const length = Buffer.alloc(LENGTH_OCTETS)
  length.writeUInt16BE(bytes.length)
  return Buffer.concat([length, bytes])
}
