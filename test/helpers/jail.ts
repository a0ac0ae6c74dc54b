/**
 * A root directory with nothing in it but one unpacked Debian package and what that needs to run:
 * mail servers that cannot be installed beside each other, and that look for users in /etc.
 */
import { cp, mkdir, readdir, realpath, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { runProgram } from './programs.js'

/** Where `.ci/run` unpacks them. */
export const UNPACKED = '/opt/pop3-peers'
/** The only user of a jail. */
export const JAIL_USER = { name: 'alice', id: 52_000, home: '/home/alice' }
const NAME_SERVICE = 'libnss_files.so.2'

export class Jail {
  readonly root: string

  private constructor(root: string) {
    this.root = root
  }

  /** @param users further system users that the server runs as */
  static async build(
    root: string,
    unpacked: string,
    password: string,
    users: readonly string[] = [],
  ): Promise<Jail> {
    const jail = new Jail(root)
    await cp(unpacked, root, { recursive: true, verbatimSymlinks: true })
    for (const folder of ['dev', 'tmp', 'run', 'etc/pam.d', JAIL_USER.home])
      await mkdir(join(root, folder), { recursive: true })
    await writeFile(join(root, 'dev/null'), '', { mode: 0o666 })
    await jail.#writeUsers(password, users)
    for (const module of ['pam_unix.so', 'pam_permit.so'])
      await jail.#copyIn(await hostLibrary(join('security', module)))
    await jail.#copyIn(await hostLibrary(NAME_SERVICE))
    return jail
  }

  /** Lets PAM check passwords for that service. */
  async allow(service: string): Promise<void> {
    const rules = ['auth required pam_unix.so', 'account required pam_permit.so']
    await writeFile(join(this.root, 'etc/pam.d', service), `${rules.join('\n')}\n`)
  }

  /** Brings in the libraries of a program that the package has. */
  async complete(path: string): Promise<void> {
    await this.#libraries(join(this.root, path))
  }

  async #copyIn(path: string): Promise<void> {
    await this.#copy(path)
    await this.#libraries(path)
  }

  async #libraries(program: string): Promise<void> {
    const own = join(this.root, 'usr/lib')
    const { stdout } = await runProgram('ldd', [program], { env: { LD_LIBRARY_PATH: own } })
    const found = stdout.toString().match(/\/\S+/g) ?? []
    for (const path of found) if (!path.startsWith(this.root)) await this.#copy(path)
  }

  async #copy(path: string): Promise<void> {
    const target = join(this.root, path)
    await mkdir(dirname(target), { recursive: true })
    await cp(await realpath(path), target)
  }

  async #writeUsers(password: string, users: readonly string[]): Promise<void> {
    const { stdout } = await runProgram('openssl', ['passwd', '-6', '-stdin'], {
      input: `${password}\n`,
    })
    const { name, id, home } = JAIL_USER
    const others = users.map((user, index) => ({ user, id: id + 1 + index }))
    const passwd = [
      'root:x:0:0::/:/bin/sh',
      `${name}:x:${id}:${id}::${home}:/bin/sh`,
      ...others.map((each) => `${each.user}:x:${each.id}:${each.id}::/:/bin/false`),
    ]
    const shadow = [`${name}:${stdout.toString().trim()}:19000::::::`]
    const group = [{ user: 'root', id: 0 }, { user: name, id }, ...others]
    await this.#etc('passwd', passwd)
    await this.#etc('shadow', shadow)
    await this.#etc(
      'group',
      group.map((each) => `${each.user}:x:${each.id}:`),
    )
  }

  #etc(name: string, lines: readonly string[]): Promise<void> {
    return writeFile(join(this.root, 'etc', name), `${lines.join('\n')}\n`)
  }
}

/** In the folder that Debian names after the architecture. */
async function hostLibrary(path: string): Promise<string> {
  for (const folder of await readdir('/lib')) {
    if (!folder.endsWith('-linux-gnu')) continue
    const there = await readdir(dirname(join('/lib', folder, path)))
    if (there.includes(basename(path))) return join('/lib', folder, path)
  }
  throw new Error(`${path} is in no library folder of this machine`)
}
