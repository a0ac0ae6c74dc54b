/** The ways in which a mail server may misbehave, and the moments at which it does. */
import type { Patience } from '../../src/relay/patience.js'
import type { Script } from './smtp-script.js'

/** A second recipient is what is told about; the first one is always taken. */
export const RCPT = 'RCPT TO:<b@x.example>'
export const STAGES = [
  'hello',
  'EHLO',
  'STARTTLS',
  'AUTH',
  'MAIL',
  RCPT,
  'DATA',
  '.',
  'QUIT',
] as const
export type Stage = (typeof STAGES)[number]

const YES: Readonly<Record<string, number>> = {
  hello: 220,
  STARTTLS: 220,
  AUTH: 235,
  DATA: 354,
  QUIT: 221,
}
const yes = (stage: Stage): number => YES[stage] ?? 250

export const ACTIONS: Readonly<Record<string, (stage: Stage) => Script[string]>> = {
  '4xx': () => '450 4.2.0 not now',
  '5xx': () => '550 5.1.1 never',
  '421': () => '421 4.3.2 going down',
  'a hang-up': () => ({ deed: 'drop' }),
  silence: () => ({ deed: 'stall' }),
  'an endless reply': () => ({ deed: 'endless' }),
  'a line without an end': () => ({ deed: 'long line' }),
  'another protocol': () => 'HTTP/1.1 200 OK',
  'the code 25x': () => '25x ok',
  'the code 2500': () => '2500 ok',
  'two codes in one reply': () => '250-ok\r\n550 no',
  'an empty line': () => '',
  'a go on too many': (stage) => (stage === 'DATA' ? '250 ok' : '354 go on'),
  'octets that are no text': (stage) => `${yes(stage)} \xff\xfe\x00\x1b[2J`,
  'a status without text': (stage) => `${yes(stage)} ${stage === 'DATA' ? '' : '2.0.0'}`,
}

/** What it offers. */
export const offers = (pipelining: boolean): string =>
  `250-mx.test\r\n250-STARTTLS\r\n${pipelining ? '250-PIPELINING\r\n' : ''}250 AUTH PLAIN`
/** Which patience a silent server wears out. */
export const WAITS: Readonly<Record<Stage, keyof Patience>> = {
  hello: 'greeting',
  EHLO: 'command',
  STARTTLS: 'command',
  AUTH: 'command',
  MAIL: 'mail',
  [RCPT]: 'recipient',
  DATA: 'data',
  '.': 'delivered',
  QUIT: 'reset',
}
