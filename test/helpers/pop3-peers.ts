/** POP3 servers of Debian, each with the test messages in a mailbox, on a free port of loopback. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Jail, JAIL_USER, UNPACKED } from './jail.js'
import { fillMaildir } from './lint-mailbox.js'
import { locate, runProgram } from './programs.js'

export const PEER_PASSWORD = 'correct horse'
const START_MS = 20_000
const TRY_MS = 50
const SYSTEM_PATH = '/usr/sbin:/usr/bin:/sbin:/bin'

export interface Peer {
  readonly port: number
  readonly user: string
  stop(): Promise<void>
}

export interface PeerProgram {
  readonly name: string
  /** What is missing here to run it, `null` if nothing is. */
  missing(): string | null
  /** @param without names of test messages that it does not get */
  start(folder: string, without?: readonly string[]): Promise<Peer>
}

/** With its defaults, but for paths, ports and users. */
export const dovecot: PeerProgram = {
  name: 'dovecot-pop3d',
  missing: () => (existsSync('/usr/lib/dovecot/pop3') ? null : 'dovecot-pop3d is not installed'),
  async start(folder, without = []) {
    const port = await freePort()
    const mail = join(folder, 'mail')
    // Its processes run as users of their own and have to come through here.
    await chmod(folder, 0o755)
    await fillMaildir(mail, without)
    await owned(mail, 'mail:mail')
    const key = join(folder, 'key.pem')
    await selfSigned(folder)
    await writeFile(join(folder, 'passwd'), `alice:{PLAIN}${PEER_PASSWORD}::\n`)
    const config = join(folder, 'dovecot.conf')
    await writeFile(config, dovecotConfig(folder, port, key))
    const child = launch('dovecot', ['-F', '-c', config])
    return ready([child], port)
  },
}

export const courier: PeerProgram = {
  name: 'courier-pop',
  missing: () => unpacked('courier-pop'),
  async start(folder, without = []) {
    const port = await freePort()
    const root = join(folder, 'root')
    const jail = await Jail.build(root, join(UNPACKED, 'courier-pop'), PEER_PASSWORD, ['courier'])
    const lib = 'usr/lib/courier'
    const tcpd = 'usr/sbin/couriertcpd'
    const login = `${lib}/courier/courierpop3login`
    const pop3d = `${lib}/courier/courierpop3d`
    const auth = `${lib}/courier-authlib/authdaemond`
    const module = 'usr/lib/courier-authlib/libauthpam.so'
    for (const program of [tcpd, login, pop3d, auth, module]) await jail.complete(program)
    await jail.allow('pop3')
    await mkdir(join(root, 'run/courier/authdaemon'), { recursive: true })
    await fillHome(root, without)
    const authEnv = {
      authmodulelist: 'authpam',
      authmodulelistorig: 'authpam',
      daemons: '2',
      authdaemonvar: '/run/courier/authdaemon',
    }
    const popEnv = { PREFIX: '/usr', POP3AUTH: 'PLAIN', POP3AUTH_ORIG: 'PLAIN' }
    const listen = ['-address=127.0.0.1', '-maxperip=40', '-nodnslookup', '-noidentlookup']
    const children = [
      launch('chroot', [root, `/${auth}`], authEnv),
      launch(
        'chroot',
        [root, `/${tcpd}`, ...listen, String(port), `/${login}`, `/${pop3d}`, 'Maildir'],
        popEnv,
      ),
    ]
    await until(() => existsSync(join(root, 'run/courier/authdaemon/socket')), 'authdaemond')
    return ready(children, port)
  },
}

export const solid: PeerProgram = {
  name: 'solid-pop3d',
  missing: () => unpacked('solid-pop3d'),
  async start(folder, without = []) {
    const root = join(folder, 'root')
    const program = 'usr/sbin/solid-pop3d'
    const jail = await Jail.build(root, join(UNPACKED, 'solid-pop3d'), PEER_PASSWORD, ['spop3d'])
    await jail.complete(program)
    await jail.allow('solid-pop3d')
    await mkdir(join(root, 'var/lib/solid-pop3d/bulletins'), { recursive: true })
    await fillHome(root, without)
    const args = [root, `/${program}`, '-t', 'maildir', '-n', 'Maildir']
    return superserver(args)
  },
}

/** What inetd does: a process for each connection, which is its standard input and output. */
async function superserver(args: readonly string[]): Promise<Peer> {
  const children = new Set<ChildProcess>()
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    const child = spawn('chroot', args, {
      env: { PATH: SYSTEM_PATH },
      stdio: [socket, socket, 'ignore'],
    })
    children.add(child)
    child.once('close', () => children.delete(child))
    // The child has it now.
    socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const stop = async (): Promise<void> => {
    server.close()
    for (const child of children) child.kill('SIGKILL')
  }
  return { port: portOf(server), user: JAIL_USER.name, stop }
}

function dovecotConfig(folder: string, port: number, key: string): string {
  return `
base_dir = ${join(folder, 'run')}
state_dir = ${join(folder, 'state')}
log_path = ${join(folder, 'log')}
protocols = pop3
listen = 127.0.0.1
ssl = yes
ssl_cert = <${join(folder, 'certificate.pem')}
ssl_key = <${key}
disable_plaintext_auth = no
auth_failure_delay = 0
mail_location = maildir:${join(folder, 'mail')}
mail_uid = mail
mail_gid = mail
first_valid_uid = 1
mail_max_userip_connections = 100
passdb {
  driver = passwd-file
  args = ${join(folder, 'passwd')}
}
userdb {
  driver = static
  args = uid=mail gid=mail home=${folder}
}
service pop3-login {
  inet_listener pop3 {
    port = ${port}
  }
  inet_listener pop3s {
    port = 0
  }
}
`
}

async function selfSigned(folder: string): Promise<void> {
  const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'certificate.pem')]
  const subject = ['-subj', '/CN=localhost', '-days', '2', '-nodes']
  const request = ['req', '-x509', '-newkey', 'rsa:2048', ...subject, ...files]
  const { code, stderr } = await runProgram('openssl', request)
  if (code !== 0) throw new Error(`openssl ended with ${code}: ${stderr}`)
}

function unpacked(name: string): string | null {
  if (locate('chroot') === null) return 'chroot is not installed'
  return existsSync(join(UNPACKED, name)) ? null : `${name} is not unpacked in ${UNPACKED}`
}

async function fillHome(root: string, without: readonly string[]): Promise<void> {
  const home = join(root, JAIL_USER.home)
  await fillMaildir(join(home, 'Maildir'), without)
  await owned(home, `${JAIL_USER.id}:${JAIL_USER.id}`)
}

async function owned(path: string, owner: string): Promise<void> {
  const { code, stderr } = await runProgram('chown', ['-R', owner, path])
  if (code !== 0) throw new Error(`chown ended with ${code}: ${stderr}`)
}

function launch(program: string, args: readonly string[], env = {}): ChildProcess {
  const child = spawn(locate(program)!, args, {
    env: { PATH: SYSTEM_PATH, ...env },
    stdio: 'ignore',
  })
  process.once('exit', () => child.kill('SIGKILL'))
  return child
}

async function ready(children: readonly ChildProcess[], port: number): Promise<Peer> {
  await until(() => answers(port), `port ${port}`)
  const stop = async (): Promise<void> => {
    for (const child of children) await ended(child)
  }
  return { port, user: JAIL_USER.name, stop }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const over = new Promise((resolve) => child.once('close', resolve))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), START_MS)
  await over
  clearTimeout(timer)
}

async function until(is: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const late = performance.now() + START_MS
  while (!(await is())) {
    if (performance.now() > late) throw new Error(`${what} is not there in time`)
    await sleep(TRY_MS)
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('data', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
    socket.once('data', () => socket.destroy())
  })
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const port = portOf(server)
  await new Promise((resolve) => server.close(resolve))
  return port
}

function portOf(server: Server): number {
  return (server.address() as { port: number }).port
}
