/** OpenLDAP's server with a few people in it. */
import { writeFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { answers, type Daemon, freePort, startDaemon } from './daemon.js'
import { runProgram } from './programs.js'

export interface Slapd extends Daemon {
  readonly port: number
  readonly tlsPort: number
  /** The certificate, which is its own authority, for 127.0.0.1. */
  readonly certificate: string
}

/** The programs that it takes. */
export const SLAPD = ['slapd', 'slapadd', 'openssl'] as const
export const BASE = 'dc=example,dc=com'
export const ADMIN = { dn: `cn=admin,${BASE}`, password: 'Looking Glass' }
/** Where Debian has the schemas that people need. */
const SCHEMAS = ['core', 'cosine', 'inetorgperson'].map((name) => `/etc/ldap/schema/${name}.schema`)

/** @param ldif the entries below the base @param folder is its own */
export async function startSlapd(folder: string, ldif: string): Promise<Slapd> {
  const { certificate, key } = await selfSigned(folder)
  const data = join(folder, 'data')
  await mkdir(data)
  const config = join(folder, 'slapd.conf')
  const lines = [
    ...SCHEMAS.map((schema) => `include ${schema}`),
    'modulepath /usr/lib/ldap',
    'moduleload back_mdb',
    `pidfile ${join(folder, 'pid')}`,
    `TLSCertificateFile ${certificate}`,
    `TLSCertificateKeyFile ${key}`,
    'database mdb',
    'maxsize 10485760',
    `suffix "${BASE}"`,
    `rootdn "${ADMIN.dn}"`,
    `rootpw "${ADMIN.password}"`,
    `directory ${data}`,
    'access to * by dn.base="cn=reader,dc=example,dc=com" read by anonymous auth by self read',
  ]
  await writeFile(config, `${lines.join('\n')}\n`)
  const base = `dn: ${BASE}\nobjectClass: dcObject\nobjectClass: organization\no: x\ndc: example\n\n`
  const added = await runProgram('slapadd', ['-f', config], { input: base + ldif })
  if (added.code !== 0) throw new Error(`slapadd: ${added.stderr}`)
  const port = await freePort()
  const tlsPort = await freePort()
  const urls = `ldap://127.0.0.1:${port}/ ldaps://127.0.0.1:${tlsPort}/`
  const works = () => answers(tlsPort)
  const daemon = await startDaemon('slapd', ['-d', '0', '-f', config, '-h', urls], works, 'SIGTERM')
  return { ...daemon, port, tlsPort, certificate }
}

async function selfSigned(folder: string): Promise<{ certificate: string; key: string }> {
  const certificate = join(folder, 'cert.pem')
  const key = join(folder, 'key.pem')
  const words =
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost'
  const names = ['-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost']
  const places = ['-keyout', key, '-out', certificate]
  const made = await runProgram('openssl', [...words.split(' '), ...names, ...places])
  if (made.code !== 0) throw new Error(`openssl: ${made.stderr}`)
  return { certificate, key }
}
