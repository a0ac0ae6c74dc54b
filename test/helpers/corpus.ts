/**
 * The corpus of real and malformed messages, each with the bytes that a client would send and what
 * must become of them.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './site.js'

/** Beside the checkout; it is not part of the repository. */
export const CORPUS = join(ROOT, '..', 'shared', 'corpus')

export type Fate = 'accepted' | 'bare CR or LF' | 'NUL'

export interface Case {
  readonly name: string
  /** What goes over the wire, before the dots are stuffed. */
  readonly bytes: Buffer
  readonly fate: Fate
  /** How the file was made fit to be sent. */
  readonly change: string
}

/** Why there is no corpus, `null` if it is there. */
export const noCorpus = existsSync(CORPUS) ? null : `${CORPUS} is not there`

export function readCorpus(): Case[] {
  const names = readdirSync(CORPUS, { recursive: true, encoding: 'utf8' })
  const mails = names.filter((name) => name.endsWith('.eml')).toSorted()
  return mails.map((name) => asSent(name, readFileSync(join(CORPUS, name))))
}

/**
 * A file with LF alone was stored by a Unix program, and every program that
 * sends it writes CR LF. One that mixes line ends is sent as it is: that is
 * what makes it malformed.
 */
function asSent(name: string, file: Buffer): Case {
  const text = file.toString('latin1')
  const unix = text.includes('\n') && !text.includes('\r')
  const lines = unix ? text.replaceAll('\n', '\r\n') : text
  const whole = lines.endsWith('\r\n') ? lines : `${lines}\r\n`
  const changes = [...(unix ? ['LF made CR LF'] : []), ...(whole === lines ? [] : ['CR LF added'])]
  const change = changes.join(', ') || 'as it is'
  return { name, bytes: Buffer.from(whole, 'latin1'), fate: fateOf(whole), change }
}

function fateOf(text: string): Fate {
  if (/\r(?!\n)|(?<!\r)\n/.test(text)) return 'bare CR or LF'
  return text.includes('\0') ? 'NUL' : 'accepted'
}
