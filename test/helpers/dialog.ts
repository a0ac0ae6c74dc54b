/**
 * Plays transcripts: drives any session through the same `Dialogue` that a
 * socket feeds, and compares every byte that comes back.
 */
import { basename } from 'node:path'
import { expect, test } from 'vitest'
import { Dialogue } from '../../src/net/dialogue.js'
import type { Answer, Farewell, Session } from '../../src/net/session.js'
import {
  type Directive,
  type Mode,
  readTranscripts,
  type Step,
  type Transcript,
} from './transcript.js'

/** Where a transcript plays: a protocol's session and the world behind it. A new one for each playing. */
export interface Stage {
  /** Does what a directive says, before the session or in the middle of it. */
  direct(directive: Directive): void | Promise<void>
  /** Begins the session, once, after the directives at the top. */
  open(): Session
  /** Answers a `?` line. */
  ask(question: string): string | Promise<string>
}

/** A test for each transcript of the folder and each way in which its bytes can arrive. */
export function playAll(folder: string, stage: () => Stage): void {
  for (const transcript of readTranscripts(folder)) {
    for (const mode of transcript.modes) {
      test(`${basename(transcript.file, '.dialog')}, sent in ${mode}`, async () => {
        await play(transcript, mode, stage())
      })
    }
  }
}

/** Plays one transcript; fails at the first line that is not so. */
export async function play(transcript: Transcript, mode: Mode, stage: Stage): Promise<void> {
  const top = transcript.steps.findIndex((step) => step.kind !== 'directive')
  const opening = transcript.steps.slice(0, top).filter((step) => step.kind === 'directive')
  for (const directive of opening) await stage.direct(directive)
  const player = new Player(transcript.file, mode, stage)
  await player.greet()
  for (const scene of scenes(transcript.steps.slice(top), mode)) await player.play(scene)
  await player.end()
}

/** Of every connection that becomes TLS. */
const EXPORTED = Buffer.from('what both ends of the TLS export')
const channelBinding = (type: string) => (type === 'tls-exporter' ? EXPORTED : null)

const WRITES = new Set(['client', 'server', 'matching'])

/**
 * Puts the steps in the order in which they happen. A pipelining client sends
 * all that it has to say up to the next line that is neither input nor answer.
 */
function scenes(steps: readonly Step[], mode: Mode): readonly Step[] {
  if (mode !== 'pipelined') return steps
  const scene: Step[] = []
  const answers: Step[] = []
  for (const step of steps) {
    if (!WRITES.has(step.kind)) scene.push(...answers.splice(0), step)
    else if (step.kind === 'client') scene.push(step)
    else answers.push(step)
  }
  return [...scene, ...answers]
}

class Player {
  readonly #file: string
  readonly #mode: Mode
  readonly #stage: Stage
  readonly #session: Session
  readonly #dialogue: Dialogue
  /** What the client has said and not sent yet: it goes out when an answer is wanted. */
  readonly #unsent: Buffer[] = []
  /** What the server said and no line has accounted for. */
  #output = Buffer.alloc(0)
  /** How the last answer ended the conversation in clear, until a line says so. */
  #turn: 'close' | 'starttls' | null = null
  #closed = false

  constructor(file: string, mode: Mode, stage: Stage) {
    this.#file = file
    this.#mode = mode
    this.#stage = stage
    this.#session = stage.open()
    this.#dialogue = new Dialogue(this.#session)
  }

  async greet(): Promise<void> {
    await this.#take(await this.#session.greet())
  }

  async play(step: Step): Promise<void> {
    if (step.kind === 'client') this.#unsent.push(step.bytes)
    else await this.#send()
    if (step.kind === 'server') this.#expectBytes(step.bytes, step.at)
    if (step.kind === 'matching') this.#expectLine(step.pattern, step.at)
    if (step.kind === 'event') await this.#event(step.side, step.name, step.at)
    if (step.kind === 'directive') await this.#stage.direct(step)
    if (step.kind === 'question') {
      expect(await this.#stage.ask(step.question), this.#where(step.at)).toBe(step.answer)
    }
  }

  /** The transcript is over: nothing may be left to say. */
  async end(): Promise<void> {
    await this.#send()
    this.#nothingLeft('the end')
    expect(this.#turn, `${this.#file}: the server ended it`).toBeNull()
    await this.#close()
  }

  async #event(side: 'C' | 'S', name: string, at: number): Promise<void> {
    if (side === 'S') return this.#serverEvent(name, at)
    this.#nothingLeft(this.#where(at))
    if (name === 'close') return this.#close()
    this.#hear(this.#session.farewell(name as Farewell))
    this.#turn = 'close'
  }

  async #serverEvent(name: string, at: number): Promise<void> {
    this.#nothingLeft(this.#where(at))
    expect(this.#turn, this.#where(at)).toBe(name)
    this.#turn = null
    if (name === 'close') return this.#close()
    this.#dialogue.forget()
    this.#session.secured({ version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', channelBinding })
  }

  async #send(): Promise<void> {
    const bytes = Buffer.concat(this.#unsent.splice(0))
    const size = this.#mode === 'bytes' ? 1 : bytes.length
    // What comes in clear after the server has turned away is dropped, as a socket would.
    for (let at = 0; at < bytes.length && this.#turn === null; at += size) {
      this.#dialogue.push(bytes.subarray(at, at + size))
      await this.#drain()
    }
  }

  async #drain(): Promise<void> {
    while (this.#turn === null) {
      const answer = await this.#dialogue.next()
      if (answer === null) return
      await this.#take(answer)
    }
  }

  async #take(answer: Answer): Promise<void> {
    this.#hear(answer.head)
    for await (const chunk of answer.body ?? []) this.#hear(chunk)
    this.#turn = answer.then ?? null
  }

  #hear(bytes: Buffer): void {
    this.#output = Buffer.concat([this.#output, bytes])
  }

  #expectBytes(bytes: Buffer, at: number): void {
    const said = this.#output.subarray(0, bytes.length)
    if (!said.equals(bytes)) {
      // The whole rest is shown: the next lines tell most about what went wrong.
      expect(this.#output.toString('latin1'), this.#where(at)).toBe(bytes.toString('latin1'))
    }
    this.#output = this.#output.subarray(bytes.length)
  }

  #expectLine(pattern: RegExp, at: number): void {
    const end = this.#output.indexOf('\r\n')
    const line = this.#output.subarray(0, Math.max(end, 0)).toString('latin1')
    expect(line, this.#where(at)).toMatch(pattern)
    this.#output = this.#output.subarray(end + 2)
  }

  #nothingLeft(where: string): void {
    expect(this.#output.toString('latin1'), `unexpected before ${where}`).toBe('')
  }

  async #close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#session.closed()
  }

  #where(at: number): string {
    return `${this.#file}:${at} (${this.#mode})`
  }
}
