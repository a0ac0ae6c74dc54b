/** Reads a certificate and its key from their files and says what is wrong with them, naming the file. */
import { X509Certificate, constants, createPrivateKey } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { createSecureContext, type SecureContext } from 'node:tls'

/** PEM files; they may be the same one. */
export interface CertificateFiles {
  readonly cert: string
  readonly key: string
}

/** What is needed to speak TLS under some names. */
export interface Certificate {
  readonly context: SecureContext
  /** Host names in subjectAltName, in lower case; the first label may be `*`. */
  readonly names: readonly string[]
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
/** RFC 6125 section 6.4.3: `*` stands for one whole label, the first one, of a name with two more. */
const NAME = /^dns:((?:\*\.(?=[^.]+\.))?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)$/

/** @throws CertificateError */
export async function readCertificate({ cert, key }: CertificateFiles): Promise<Certificate> {
  const certPem = await read(cert, 'certificate')
  const keyPem = key === cert ? certPem : await read(key, 'key')
  const names = namesOf(checkPair({ cert, key }, certPem, keyPem))
  try {
    const context = createSecureContext({
      cert: certPem,
      key: keyPem,
      minVersion: 'TLSv1.2',
      ciphers: CIPHERS,
      // Our order, not the client's; and no renegotiation, which only an attacker asks for (CVE-2011-1473).
      secureOptions: constants.SSL_OP_CIPHER_SERVER_PREFERENCE | constants.SSL_OP_NO_RENEGOTIATION,
    })
    return { context, names }
  } catch (cause) {
    throw new CertificateError(`${cert}: OpenSSL does not take this certificate; get another`, {
      cause,
    })
  }
}

/**
 * One that clients can ask for by a name.
 * @throws CertificateError also if there is none in it: it could never be chosen
 */
export async function readNamedCertificate(files: CertificateFiles): Promise<Certificate> {
  const certificate = await readCertificate(files)
  if (certificate.names.length > 0) return certificate
  throw new CertificateError(
    `${files.cert}: no host name stands in this certificate's subjectAltName; get one for the name that mail programs use`,
  )
}

async function read(path: string, what: string): Promise<Buffer> {
  try {
    const found = await stat(path)
    if (found.isFile() && found.size <= MAX_FILE) return await readFile(path)
  } catch (cause) {
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException
    throw new CertificateError(
      `${path}: cannot read the TLS ${what} (${code}); correct the path or its permissions`,
      { cause },
    )
  }
  throw new CertificateError(`${path}: not a file that could hold a TLS ${what}; name a PEM file`)
}

/** OpenSSL's own errors name no file: what can be wrong is found out before it is asked. */
function checkPair(files: CertificateFiles, certPem: Buffer, keyPem: Buffer): X509Certificate {
  const certificate = parsed(
    () => new X509Certificate(certPem),
    `${files.cert}: not a TLS certificate; name a PEM file with the certificate and its chain`,
  )
  const key = parsed(
    () => createPrivateKey(keyPem),
    `${files.key}: not a private key; name a PEM file with a key that has no passphrase`,
  )
  if (certificate.checkPrivateKey(key)) return certificate
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

/** Names that could be mistaken for more than one are written in quotes by Node, and are none. */
function namesOf({ subjectAltName = '' }: X509Certificate): string[] {
  return subjectAltName
    .toLowerCase()
    .split(', ')
    .flatMap((entry) => NAME.exec(entry)?.[1] ?? [])
}
