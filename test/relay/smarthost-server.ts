/** A smarthost that is none of ours: npm's smtp-server, with TLS and logins. */
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import { onTestFinished } from 'vitest'
import { makeSelfSigned } from '../../src/net/self-signed.js'

export interface Smarthost {
  readonly port: number
  /** Its certificate, which is also the authority to trust. */
  readonly pem: string
  /** Every message, with who logged in, to whom it went and whether it came over TLS. */
  readonly mails: { user: string | null; to: string[]; secure: boolean; text: string }[]
}

export interface SmarthostOptions {
  /** TLS from the first byte. */
  readonly secure?: boolean
  /** Who may log in, and has to; nobody = no login. */
  readonly users?: Readonly<Record<string, string>>
}

/** On a free port of 127.0.0.1; gone when the test is over. */
export async function startSmarthost(options: SmarthostOptions = {}): Promise<Smarthost> {
  const { secure = false, users } = options
  const pem = await makeSelfSigned('127.0.0.1')
  const mails: Smarthost['mails'] = []
  const server = new SMTPServer({
    secure,
    key: pem,
    cert: pem,
    authOptional: users === undefined,
    authMethods: ['PLAIN', 'LOGIN', 'XOAUTH2'],
    size: 1_048_576,
    closeTimeout: 100,
    onAuth: ({ username, password, accessToken }, _session, done) => {
      const known = users?.[username ?? '']
      const good = known !== undefined && [password, accessToken].includes(known)
      if (good) done(null, { user: username ?? '' })
      else done(new Error('wrong password'))
    },
    onData: (stream, session, done) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const to = session.envelope.rcptTo.map(({ address }) => address)
        const user = typeof session.user === 'string' ? session.user : null
        mails.push({ user, to, secure: session.secure, text: Buffer.concat(chunks).toString() })
        done()
      })
    },
  })
  server.on('error', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())))
  return { port: (server.server.address() as AddressInfo).port, pem, mails }
}
