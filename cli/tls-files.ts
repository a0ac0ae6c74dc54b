/** Looks at certificate files without using them. */
import { CertificateError, TlsContexts, type CertificateFiles } from '../src/net/tls.js'
import { Exit, Failure } from './exit.js'

/** @throws Failure when the files are no certificate and its key */
export async function checkTlsFiles(files: CertificateFiles): Promise<void> {
  const problem = await tlsProblem(files)
  if (problem !== null) throw new Failure(Exit.badData, problem)
}

/** @returns what is wrong with the files, or `null` */
export async function tlsProblem(files: CertificateFiles): Promise<string | null> {
  try {
    // With files given, nothing is made: the directory and the name are not used.
    await TlsContexts.open(files, '', '')
    return null
  } catch (error) {
    if (error instanceof CertificateError) return error.message
    throw error
  }
}
