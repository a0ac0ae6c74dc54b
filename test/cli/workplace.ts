/** A directory of its own for the built program, as a person at a shell has it. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { lstat, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { PROGRAM } from '../helpers/site.js'

const PATIENCE_MS = 25_000

export interface Outcome {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface Circumstances {
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
  /** Run as this user and group. */
  readonly uid?: number
}

export class Workplace {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  /** Removed when the test is over. */
  static async make(): Promise<Workplace> {
    if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is missing: npm run build makes it`)
    const path = await mkdtemp(join(tmpdir(), 'mailtap-cli-'))
    onTestFinished(() => rm(path, { recursive: true, force: true }))
    return new Workplace(path)
  }

  /** One with a config: example.com in ./Maildir, on free loopback ports. */
  static async withConfig(...more: string[]): Promise<Workplace> {
    const place = await Workplace.make()
    const ports = ['-s', '127.0.0.1:0', '-p', '127.0.0.1:0']
    const made = await place.mailtap(['create', '-d', 'example.com=./Maildir', ...ports, ...more])
    if (made.code !== 0) throw new Error(made.err)
    return place
  }

  /** The same as its files alone: a domain without a mailbox. */
  static async withFiles(): Promise<Workplace> {
    const place = await Workplace.make()
    await place.write('mailtap.toml', '[domains."example.com"]\npath = "Maildir"\n')
    await mkdir(place.file('Maildir/.users'), { recursive: true, mode: 0o700 })
    return place
  }

  /** Runs the built program here, without a terminal. */
  mailtap(args: readonly string[], circumstances: Circumstances = {}): Promise<Outcome> {
    return this.run([PROGRAM, ...args], circumstances)
  }

  /** The same by another name: of a link to it in this place, before its arguments. */
  async run(words: readonly string[], circumstances: Circumstances = {}): Promise<Outcome> {
    const { input = '', env = {}, uid } = circumstances
    const child = spawn(process.execPath, words, {
      cwd: this.path,
      env: { PATH: process.env['PATH'] ?? '', HOME: this.path, ...env },
      timeout: PATIENCE_MS,
      ...(uid === undefined ? {} : { uid, gid: uid }),
    })
    child.stdin.on('error', () => {})
    child.stdin.end(input)
    const [out, err] = [text(child.stdout), text(child.stderr)]
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    })
    return { code, out: await out, err: await err }
  }

  file(name: string): string {
    return join(this.path, name)
  }

  read(name: string): Promise<string> {
    return readFile(this.file(name), 'utf8')
  }

  async write(name: string, content: string, mode = 0o600): Promise<void> {
    await mkdir(dirname(this.file(name)), { recursive: true, mode: 0o700 })
    await writeFile(this.file(name), content, { mode })
  }

  has(name: string): boolean {
    return existsSync(this.file(name))
  }

  /** Permissions in octal, such as `700`. */
  async mode(name: string): Promise<string> {
    return ((await lstat(this.file(name))).mode & 0o777).toString(8)
  }
}

/** What an error must be: one line, from mailtap. */
export function oneLine({ err }: Outcome): string {
  const [line, ...more] = err.split('\n')
  if (more.join('') !== '' || !line!.startsWith('mailtap: '))
    throw new Error(`not one line: ${err}`)
  return line!.slice('mailtap: '.length)
}

async function text(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
