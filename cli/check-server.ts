/** What `mailtap check` tells of the server as a whole. */
import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Config } from '../src/config/config.js'
import { checkDirectory, missing } from './check-directory.js'
import type { Findings } from './findings.js'
import { ownPlaceIn } from './places.js'
import { requireListeners } from './settings.js'
import { startFailure } from './start-failure.js'
import { tlsProblem } from './tls-files.js'

/** Days before the end of a certificate at which a renewal should have happened. */
const EXPIRY_WARNING_DAYS = 14
const DAY_MS = 86_400_000
/** Nodes below get no security fixes any more. */
const OLDEST_SUPPORTED_NODE = 22

/** @param file the config */
export async function checkServer(file: string, config: Config, findings: Findings): Promise<void> {
  checkNode(process.versions.node, findings)
  await findings.attempt('[listen]', async () => requireListeners(config))
  checkDomainsThere(config, findings)
  await checkPlaces(file, config, findings)
  await findings.attempt(config.state, () => checkState(config.state, findings))
  await checkCertificates(config, findings)
}

async function checkCertificates(config: Config, findings: Findings): Promise<void> {
  const { tls, domains, hostname } = config
  if (tls === null) {
    findings.warning(
      `[tls] is not set: a self-signed certificate is made in ${config.state}, which mail programs warn about`,
    )
  } else await findings.attempt(tls.cert, () => checkTls(hostname, tls, findings))
  for (const { tls: own } of Object.values(domains))
    if (own !== null) await findings.attempt(own.cert, () => checkTls(null, own, findings))
}

/** @param version such as `22.11.0` */
export function checkNode(version: string, findings: Findings): void {
  const major = Number.parseInt(version, 10)
  if (major >= OLDEST_SUPPORTED_NODE) return
  findings.warning(
    `Node ${version} gets no security fixes any more; install Node ${OLDEST_SUPPORTED_NODE} or later`,
  )
}

/** Made at the first start; a private key may lie in it. */
async function checkState(state: string, findings: Findings): Promise<void> {
  if (await missing(state)) return
  try {
    await checkDirectory(state, findings)
  } catch (error) {
    throw startFailure(error, state)
  }
}

/** A mailbox could get such a name, and the owner of the domain gets at what is the server's. */
async function checkPlaces(file: string, config: Config, findings: Findings): Promise<void> {
  const own = [
    { what: 'the config', path: file },
    { what: 'the state directory', path: config.state },
  ]
  for (const [name, { path }] of Object.entries(config.domains)) {
    const found = await ownPlaceIn(path, own)
    if (found === null) continue
    findings.warning(
      `${found.path}: ${found.what} lies in the directory of ${name}, among its mailboxes; move one of them`,
    )
  }
}

function checkDomainsThere({ domains }: Config, findings: Findings): void {
  if (Object.keys(domains).length === 0)
    findings.warning('there is no domain: all mail would be refused')
}

/** @param hostname that clients will ask for; `null` = those that stand in it */
async function checkTls(
  hostname: string | null,
  tls: NonNullable<Config['tls']>,
  findings: Findings,
): Promise<void> {
  const problem = await tlsProblem(tls, hostname === null)
  if (problem !== null) return findings.error(problem)
  const certificate = new X509Certificate(await readFile(tls.cert))
  checkDates(tls.cert, certificate, findings)
  if (hostname !== null && certificate.checkHost(hostname) === undefined) {
    findings.warning(
      `${tls.cert}: this certificate is not for ${hostname}; mail programs will warn about it`,
    )
  }
  if (isSelfSigned(certificate)) {
    findings.warning(
      `${tls.cert}: this certificate is self-signed; mail programs will warn about it`,
    )
  }
}

function isSelfSigned(certificate: X509Certificate): boolean {
  const { subject, issuer, publicKey } = certificate
  return subject === issuer && certificate.verify(publicKey)
}

function checkDates(file: string, certificate: X509Certificate, findings: Findings): void {
  const left = Math.floor((Date.parse(certificate.validTo) - Date.now()) / DAY_MS)
  if (left < 0)
    findings.error(`${file}: this certificate expired on ${certificate.validTo}; renew it`)
  else if (left < EXPIRY_WARNING_DAYS)
    findings.warning(`${file}: this certificate expires in ${left} days; renew it`)
  if (Date.parse(certificate.validFrom) > Date.now()) {
    findings.error(
      `${file}: this certificate is valid from ${certificate.validFrom} only; check the clock`,
    )
  }
}
