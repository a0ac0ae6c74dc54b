/** Looks at certificate files without using them. */
import {
  CertificateError,
  type CertificateFiles,
  readCertificate,
  readNamedCertificate,
} from '../src/net/certificate.js'
import { Exit, Failure } from './exit.js'

/** @throws Failure when the files are no certificate and its key */
export async function checkTlsFiles(files: CertificateFiles): Promise<void> {
  const problem = await tlsProblem(files)
  if (problem !== null) throw new Failure(Exit.badData, problem)
}

/**
 * @param named true for a certificate that is chosen by the name that a client asks for
 * @returns what is wrong with the files, or `null`
 */
export async function tlsProblem(files: CertificateFiles, named = false): Promise<string | null> {
  try {
    await (named ? readNamedCertificate : readCertificate)(files)
    return null
  } catch (error) {
    if (error instanceof CertificateError) return error.message
    throw error
  }
}
