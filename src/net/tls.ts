/**
 * The server's certificate and the terms on which it speaks TLS (RFC 8446, RFC
 * 9325; for mail RFC 8314). Whoever needs it asks for `context` at each new
 * connection, so a renewed certificate is taken up without a restart.
 */
import { X509Certificate, constants, createPrivateKey } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { createSecureContext, type SecureContext } from 'node:tls'
import { ownCertificate } from './own-certificate.js'

/** PEM files; they may be the same one. */
export interface CertificateFiles {
  readonly cert: string
  readonly key: string
}

/** The certificate cannot be used; the message names the file and says what to do. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError'
}

/** No certificate chain is larger; a wrong path must not fill the memory. */
const MAX_FILE = 1_048_576
/** Forward secret and authenticated: what RFC 9325 section 4.2 recommends, and TLS 1.3's own. */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

export class TlsContexts {
  readonly #stateDir: string
  readonly #hostname: string
  #context: SecureContext

  private constructor(stateDir: string, hostname: string, context: SecureContext) {
    this.#stateDir = stateDir
    this.#hostname = hostname
    this.#context = context
  }

  /**
   * Reads the certificate. Without one a self-signed one for `hostname` is made in
   * `stateDir`/tls once and used from then on.
   * @param stateDir absolute
   * @throws CertificateError
   */
  static async open(
    files: CertificateFiles | null,
    stateDir: string,
    hostname: string,
  ): Promise<TlsContexts> {
    const context = await load(files ?? (await ownFiles(stateDir, hostname)))
    return new TlsContexts(stateDir, hostname, context)
  }

  /** For the next connection; those that run keep theirs. */
  get context(): SecureContext {
    return this.#context
  }

  /**
   * Reads the certificate again, from the same files or from others.
   * @throws CertificateError when it is bad; the old one stays in use
   */
  async reload(files: CertificateFiles | null): Promise<void> {
    this.#context = await load(files ?? (await ownFiles(this.#stateDir, this.#hostname)))
  }
}

async function load({ cert, key }: CertificateFiles): Promise<SecureContext> {
  const certPem = await read(cert, 'certificate')
  const keyPem = key === cert ? certPem : await read(key, 'key')
  checkPair({ cert, key }, certPem, keyPem)
  try {
    return createSecureContext({
      cert: certPem,
      key: keyPem,
      minVersion: 'TLSv1.2',
      ciphers: CIPHERS,
      // Our order, not the client's; and no renegotiation, which only an attacker asks for (CVE-2011-1473).
      secureOptions: constants.SSL_OP_CIPHER_SERVER_PREFERENCE | constants.SSL_OP_NO_RENEGOTIATION,
    })
  } catch (cause) {
    throw new CertificateError(`${cert}: OpenSSL does not take this certificate; get another`, {
      cause,
    })
  }
}

async function read(path: string, what: string): Promise<Buffer> {
  try {
    const found = await stat(path)
    if (found.isFile() && found.size <= MAX_FILE) return await readFile(path)
  } catch (cause) {
    throw new CertificateError(
      `${path}: cannot read the TLS ${what} (${code(cause)}); correct the path or its permissions`,
      { cause },
    )
  }
  throw new CertificateError(`${path}: not a file that could hold a TLS ${what}; name a PEM file`)
}

/** OpenSSL's own errors name no file: what can be wrong is found out before it is asked. */
function checkPair(files: CertificateFiles, certPem: Buffer, keyPem: Buffer): void {
  const certificate = parsed(
    () => new X509Certificate(certPem),
    `${files.cert}: not a TLS certificate; name a PEM file with the certificate and its chain`,
  )
  const key = parsed(
    () => createPrivateKey(keyPem),
    `${files.key}: not a private key; name a PEM file with a key that has no passphrase`,
  )
  if (certificate.checkPrivateKey(key)) return
  throw new CertificateError(
    `${files.key}: this key does not belong to the certificate ${files.cert}; name the key that it was made with`,
  )
}

function parsed<T>(parse: () => T, complaint: string): T {
  try {
    return parse()
  } catch (cause) {
    throw new CertificateError(complaint, { cause })
  }
}

async function ownFiles(stateDir: string, hostname: string): Promise<CertificateFiles> {
  try {
    const path = await ownCertificate(stateDir, hostname)
    return { cert: path, key: path }
  } catch (cause) {
    throw new CertificateError(
      `${stateDir}/tls: cannot make a self-signed certificate (${code(cause)}); make the directory writable or name a certificate`,
      { cause },
    )
  }
}

function code(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown error'
}
