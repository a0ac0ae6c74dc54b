import { describe, expect, it } from 'vitest'
import { makeSelfSigned } from '../../src/net/self-signed.js'
import { ACTIONS, offers, RCPT, type Stage, STAGES, WAITS } from '../helpers/hostile-script.js'
import { scriptedServer } from '../helpers/smtp-script.js'
import { connectionsFor, hopTo, inShort, MESSAGE, workFor } from './hop-stage.js'

const AGREES = ['octets that are no text', 'a status without text']

/** What is right: nothing lost, no bounce but for a 5xx about the mail. */
function expected(stage: Stage, action: string): readonly string[] {
  // An EHLO that says no more than yes offers no TLS, which is demanded.
  if (stage === 'EHLO') return ['unusable']
  if (stage === 'QUIT' || AGREES.includes(action)) return ['delivered', 'delivered']
  if (['hello', 'STARTTLS', 'AUTH'].includes(stage)) return ['unusable']
  const told = { '4xx': 'later', '5xx': 'bounced' }[action]
  if (told === undefined) return stage === '.' ? ['later', 'later'] : ['unusable']
  return stage === RCPT ? ['delivered', told] : [told, told]
}

const kindOf = (said: string): string => {
  if (said === 'delivered') return said
  if (said.startsWith('unusable')) return 'unusable'
  return said.startsWith('5') ? 'bounced' : 'later'
}

const pem = await makeSelfSigned('mx.test')
const login = { kind: 'password', user: 'joe', password: 'secret' } as const

describe.each([true, false])('a server that pipelines (%s) and answers (Q5)', (pipelining) => {
  const cells = STAGES.flatMap((stage) =>
    Object.keys(ACTIONS).map((name) => [stage, name] as const),
  )

  it.each(cells)(
    'to %s with %s loses no mail and bounces none without a reason',
    async (stage, name) => {
      const action = ACTIONS[name]!(stage)
      const hello = stage === 'EHLO' ? { HELO: action } : {}
      const script = { EHLO: offers(pipelining), ...hello, [stage]: action }
      const server = await scriptedServer({ pem, script })
      const connections = connectionsFor({
        patience: name === 'silence' ? { [WAITS[stage]]: 200 } : {},
      })
      const hop = hopTo(server.port, { tls: { kind: 'encrypt' }, login })
      const result = await connections.hand(hop, workFor(['a@x.example', 'b@x.example']), MESSAGE)
      await connections.close()
      const said = inShort(result)
      expect(said.map(kindOf), said.join(', ')).toEqual(expected(stage, name))
      if (said.includes('delivered')) {
        expect(server.taken).toEqual(['Subject: x\r\n\r\n..dot\r\n...\r\nend'])
      }
      if (result.kind === 'answered') {
        for (const outcome of result.outcomes) expect(outcome.said ?? '').toMatch(/^[ -~]{0,400}$/)
      }
    },
  )
})
