/** Looks at certificate files without using them. */
import { CertificateError, type CertificateFiles, readCertificate } from '../src/net/certificate.js'
import { Exit, Failure } from './exit.js'

/** @throws Failure when the files are no certificate and its key */
export async function checkTlsFiles(files: CertificateFiles): Promise<void> {
  const problem = await tlsProblem(files)
  if (problem !== null) throw new Failure(Exit.badData, problem)
}

/** @returns what is wrong with the files, or `null` */
export async function tlsProblem(files: CertificateFiles): Promise<string | null> {
  try {
    await readCertificate(files)
    return null
  } catch (error) {
    if (error instanceof CertificateError) return error.message
    throw error
  }
}
