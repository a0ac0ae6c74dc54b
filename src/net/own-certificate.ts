/** Keeps the self-signed certificate of a server that was given none, so that clients see the same one for years. */
import { X509Certificate, createPrivateKey, randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'

/**
 * Makes it at the first call. Key and certificate lie in one file: written at
 * once, they always belong together.
 * @param hostname a host name or an IP address
 * @returns path of the PEM file, readable by its owner only
 */
export async function ownCertificate(stateDir: string, hostname: string): Promise<string> {
  const folder = join(stateDir, 'tls')
  const path = join(folder, 'self-signed.pem')
  if (await usable(path, hostname)) return path
  await mkdir(folder, { recursive: true, mode: 0o700 })
  // Loaded only here: most servers have a certificate and need nothing of this.
  const { makeSelfSigned } = await import('./self-signed.js')
  await replace(path, await makeSelfSigned(hostname))
  return path
}

/** A broken or expired one, or one for a former host name, helps nobody: it is made anew. */
async function usable(path: string, hostname: string): Promise<boolean> {
  try {
    const pem = await readFile(path)
    const certificate = new X509Certificate(pem)
    const current = Date.parse(certificate.validTo) > Date.now()
    return (
      current && names(certificate, hostname) && certificate.checkPrivateKey(createPrivateKey(pem))
    )
  } catch {
    return false
  }
}

function names(certificate: X509Certificate, hostname: string): boolean {
  const found =
    isIP(hostname) === 0 ? certificate.checkHost(hostname) : certificate.checkIP(hostname)
  return found !== undefined
}

/** Others see the old file or the whole new one. */
async function replace(path: string, content: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}`
  try {
    await writeDurably(temporary, content)
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

async function writeDurably(path: string, content: string): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
}
