/** The runner must fail when the server says something else: otherwise no transcript proves anything. */
import { describe, expect, test } from 'vitest'
import { play } from './dialog.js'
import { Pop3Stage } from './pop3-stage.js'
import { MODES, parseTranscript, readTranscripts } from './transcript.js'

const GREETING = 'S: +OK mail.example.com POP3 ready'
const BYE = 'C: QUIT\nS: +OK bye'

async function playText(text: string, mode: (typeof MODES)[number]): Promise<void> {
  await play(parseTranscript('test', `# why\n${text}`), mode, new Pop3Stage())
}

describe.each(MODES)('a transcript played in %s', (mode) => {
  test('passes when every byte is as it says', async () => {
    await playText(`${GREETING}\n${BYE}\nS! close`, mode)
    await playText(`S~ \\+OK .* ready\n${BYE}\nS! close`, mode)
    await playText(`${GREETING}\nC= QU\nC= IT\\r\\n\nS= +OK bye\\x0d\\n\nS! close`, mode)
  })

  test.each([
    ['another answer', `${GREETING}\nC: QUIT\nS: +OK good bye`],
    ['less than was said', `${GREETING}\nC: QUIT`],
    ['more than was said', `${GREETING}\n${BYE}\nS: +OK bye`],
    ['a line that matches in part only', `S~ \\+OK mail\n${BYE}\nS! close`],
    ['an end that it does not mention', `${GREETING}\n${BYE}`],
    ['an end that does not come', `${GREETING}\nC: AUTH\nS~ -ERR .*\nS! close`],
    ['an answer after the end', `${GREETING}\n${BYE}\nC: QUIT\nS: +OK bye\nS! close`],
    ['another answer of the stage', `${GREETING}\n? log = pop3 login`],
  ])('fails on %s', async (_, text) => {
    await expect(playText(text, mode)).rejects.toThrow()
  })
})

describe('a transcript', () => {
  test('says first why it is there', () => {
    expect(() => parseTranscript('x', 'C: QUIT')).toThrow('x:1')
  })

  test.each(['C QUIT', 'S? x', '| block without directive', '? question without answer', 'C= \\q'])(
    'with the line "%s" is refused',
    (line) => {
      expect(() => parseTranscript('x', `# why\n${line}`)).toThrow()
    },
  )

  test('reads escapes', () => {
    const { steps } = parseTranscript('x', '# why\nC= a\\r\\n\\x00\\xff\\\\\\*3{b\\n}\\t')
    expect(steps[0]).toMatchObject({ bytes: Buffer.from('a\r\n\0\xff\\b\nb\nb\n\t', 'latin1') })
  })

  test('is looked for in vain in a folder without any', () => {
    expect(() => readTranscripts(import.meta.dirname)).toThrow('no transcripts')
  })
})
