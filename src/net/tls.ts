/**
 * The server's certificates, kept as new as their files (RFC 8446, RFC 9325; for
 * mail RFC 8314). Whoever needs them asks for `current` at each new connection,
 * so a renewed certificate is taken up without a restart.
 */
import type { BigIntStats } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Log } from '../log/log.js'
import {
  type Certificate,
  CertificateError,
  type CertificateFiles,
  readCertificate,
  readNamedCertificate,
} from './certificate.js'
import { Certificates } from './certificates.js'
import { ownCertificate } from './own-certificate.js'

/** How often the files are looked at: a watch on them would miss what a network file system or a symbolic link does. */
const LOOK_MS = 5_000

/** Which certificates a server has. */
export interface TlsFiles {
  /** Used where no other fits; `null` = a self-signed one. */
  readonly first: CertificateFiles | null
  /** Each for the names that stand in it. */
  readonly others: readonly CertificateFiles[]
}

/** A pair of files as it was when it was read. */
interface Loaded {
  readonly files: CertificateFiles
  readonly certificate: Certificate
  /** How it was read, and is to be read again. */
  readonly read: (files: CertificateFiles) => Promise<Certificate>
  /** Tells one state of the files from another. */
  readonly state: string
}

export class TlsContexts {
  readonly #stateDir: string
  readonly #hostname: string
  #loaded: readonly Loaded[]
  #current: Certificates
  /** By certificate file: what was last complained of. */
  readonly #complaints = new Map<string, string>()
  #timer: NodeJS.Timeout | null = null
  #looking: Promise<void> | null = null

  private constructor(stateDir: string, hostname: string, loaded: readonly Loaded[]) {
    this.#stateDir = stateDir
    this.#hostname = hostname
    this.#loaded = loaded
    this.#current = chooser(loaded)
  }

  /**
   * Reads the certificates. Without a first one a self-signed one for `hostname` is made in
   * `stateDir`/tls once and used from then on.
   * @param stateDir absolute
   * @throws CertificateError
   */
  static async open(files: TlsFiles, stateDir: string, hostname: string): Promise<TlsContexts> {
    return new TlsContexts(stateDir, hostname, await loadAll(files, stateDir, hostname))
  }

  /** For the next connection; those that run keep theirs. */
  get current(): Certificates {
    return this.#current
  }

  /**
   * Reads all certificates again, from the same files or from others.
   * @throws CertificateError when one is bad; the old ones stay in use then
   */
  async reload(files: TlsFiles): Promise<void> {
    const loaded = await loadAll(files, this.#stateDir, this.#hostname)
    await this.#looking
    this.#use(loaded)
    this.#complaints.clear()
  }

  /** Looks at the files from now on, and takes up what is new. @param everyMs for tests */
  watch(log: Log, everyMs = LOOK_MS): void {
    this.#timer = setInterval(() => {
      this.#looking ??= this.#look(log).finally(() => (this.#looking = null))
    }, everyMs)
  }

  /** Ends the watch. */
  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer)
    await this.#looking
  }

  #use(loaded: readonly Loaded[]): void {
    this.#loaded = loaded
    this.#current = chooser(loaded)
  }

  async #look(log: Log): Promise<void> {
    const before = this.#loaded
    const now: Loaded[] = []
    for (const each of before) now.push(await this.#renewed(each, log))
    if (now.some((each, index) => each !== before[index])) this.#use(now)
  }

  /** A pair that is half written or does not fit is looked at again and again, and spoken of once. */
  async #renewed(old: Loaded, log: Log): Promise<Loaded> {
    const { cert } = old.files
    try {
      if ((await stateOf(old.files)) === old.state) return old
      const renewed = await load(old.files, old.read)
      this.#complaints.delete(cert)
      log.info('tls certificate renewed', { cert })
      return renewed
    } catch (error) {
      const complaint = error instanceof CertificateError ? error.message : String(error)
      if (this.#complaints.get(cert) !== complaint)
        log.error('tls certificate not renewed', { cert, reason: complaint, kept: true })
      this.#complaints.set(cert, complaint)
      return old
    }
  }
}

function chooser([first, ...others]: readonly Loaded[]): Certificates {
  return new Certificates(
    first!.certificate,
    others.map(({ certificate }) => certificate),
  )
}

async function loadAll(
  { first, others }: TlsFiles,
  stateDir: string,
  hostname: string,
): Promise<Loaded[]> {
  const loaded = [await load(first ?? (await ownFiles(stateDir, hostname)), readCertificate)]
  for (const files of others) loaded.push(await load(files, readNamedCertificate))
  return loaded
}

/** The state is taken before the files are read: what changes meanwhile is found at the next look. */
async function load(files: CertificateFiles, how: Loaded['read']): Promise<Loaded> {
  const state = await stateOf(files)
  return { files, state, read: how, certificate: await how(files) }
}

/** A missing file is a state, too. */
async function stateOf({ cert, key }: CertificateFiles): Promise<string> {
  const found = await Promise.all([cert, key].map((path) => stampOf(path)))
  return found.join(' ')
}

async function stampOf(path: string): Promise<string> {
  const found: BigIntStats | null = await stat(path, { bigint: true }).catch(() => null)
  return found === null ? 'none' : `${found.dev}.${found.ino}.${found.size}.${found.ctimeNs}`
}

async function ownFiles(stateDir: string, hostname: string): Promise<CertificateFiles> {
  try {
    const path = await ownCertificate(stateDir, hostname)
    return { cert: path, key: path }
  } catch (cause) {
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException
    throw new CertificateError(
      `${stateDir}/tls: cannot make a self-signed certificate (${code}); make the directory writable or name a certificate`,
      { cause },
    )
  }
}
