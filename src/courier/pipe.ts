/**
 * Brings mail to programs, as `|program` in an alias asks for: no shell, a
 * fixed environment, the rights of the domain's owner, a time limit.
 */
import type { ProgramTarget } from '../directory/directory.js'
import { formatAddress, type Address } from '../mail/address.js'
import type { Envelope } from '../mail/envelope.js'
import type { Message } from '../mail/message.js'
import { type Refusal, tryLater } from '../mail/refusal.js'
import type { Log } from '../log/log.js'
import type { TargetCourier } from './courier.js'
import type { Deadline } from './deadline.js'
import { answered, each } from './each.js'
import { type DirectoryOf, ownerIfRoot, refuseRoot, requireDirectoryOf } from './owner.js'
import { meaningOf } from './program-outcome.js'
import { type Report, runProgram } from './program.js'
import { traced } from './trace.js'

/** Milliseconds; less than SMTP gives a delivery (60 seconds), or nobody would hear how it ended. */
const TIME_LIMIT = 45_000
/** Programs that run at once, of all domains together. */
const MAX_PROGRAMS = 32
/** Programs that one message starts; the rest is "later". */
const MAX_PROGRAMS_PER_MESSAGE = 16
const PATH = '/usr/local/bin:/usr/bin:/bin'
/** What a careless script may not be able to handle becomes `_`. */
const UNSAFE = /[^\w.@+=:,/%^~\u0080-\u{10ffff}-]/gu

export interface PipeOptions {
  readonly directoryOf: DirectoryOf
  readonly log: Log
  /** Milliseconds; 45 seconds unless a test says otherwise. */
  readonly timeLimitMs?: number
}

type Mail = [Envelope, Message]

export class PipeCourier implements TargetCourier<ProgramTarget> {
  readonly #options: PipeOptions
  #running = 0

  constructor(options: PipeOptions) {
    this.#options = options
  }

  async deliver(
    targets: readonly ProgramTarget[],
    envelope: Envelope,
    message: Message,
    deadline: Deadline,
  ): Promise<(Refusal | null)[]> {
    const runs = await each(targets.slice(0, MAX_PROGRAMS_PER_MESSAGE), (target) =>
      answered(deadline, () => this.#counted(target, deadline, envelope, message)),
    )
    return [...runs, ...targets.slice(MAX_PROGRAMS_PER_MESSAGE).map(tooMany)]
  }

  async #counted(target: ProgramTarget, deadline: Deadline, ...mail: Mail): Promise<void> {
    if (this.#running >= MAX_PROGRAMS) throw tryLater(new Error('too many programs run already'))
    this.#running++
    try {
      await this.#run(target, deadline, ...mail)
    } finally {
      this.#running--
    }
  }

  async #run(target: ProgramTarget, deadline: Deadline, ...mail: Mail): Promise<void> {
    const [envelope] = mail
    const cwd = requireDirectoryOf(this.#options.directoryOf, target.of.domain)
    const as = await ownerIfRoot(cwd)
    refuseRoot(as, cwd)
    // Whoever began late must end in time, too: nobody would hear that it took the mail.
    const timeLimitMs = Math.min(this.#options.timeLimitMs ?? TIME_LIMIT, deadline.left)
    const env = environment(target, envelope.from, cwd)
    const input = traced(target.of, ...mail).open()
    const report = await runProgram({ command: target.command, cwd, env, as, input, timeLimitMs })
    this.#tell(target, envelope, report)
    const refusal = meaningOf(report)
    if (refusal !== null) throw refusal
  }

  #tell({ command, of }: ProgramTarget, { id }: Envelope, report: Report): void {
    const { code, signal, late, output } = report
    const fields = { id, program: command[0], of: formatAddress(of) }
    // A program that is well may print the mail itself: that is no concern of the log.
    if (code === 0) this.#options.log.info('program delivered', fields)
    else this.#options.log.warn('program failed', { ...fields, code, signal, late, output })
  }
}

const tooMany = (): Refusal => tryLater(new Error('the message goes to too many programs'))

/** The same for every mail but for who wrote it and to whom; nothing of the server's own. */
function environment(
  { of, extension }: ProgramTarget,
  from: Address | null,
  home: string,
): Record<string, string> {
  // The separator is one character.
  const user = extension === null ? of.local : of.local.slice(0, -(extension.length + 1))
  const facts = {
    SENDER: from === null ? '' : formatAddress(from),
    RECIPIENT: `${of.local}@${of.domain}`,
    LOCAL: of.local,
    EXTENSION: extension ?? '',
    DOMAIN: of.domain,
    USER: user,
    LOGNAME: user,
  }
  const safe = Object.entries(facts).map(
    ([name, text]) => [name, text.replace(UNSAFE, '_')] as const,
  )
  return { PATH, HOME: home, SHELL: '/bin/sh', ...Object.fromEntries(safe) }
}
