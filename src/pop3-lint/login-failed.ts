/** The server does not let us in, and why it says so. */

export class LoginFailed extends Error {
  override readonly name = 'LoginFailed'
  /** The answer of the server. */
  readonly status: string

  constructor(status: string) {
    super(`the login was refused: ${status}`)
    this.status = status
  }

  /** True when it may work later: the mailbox is in use, or cannot be looked at now. */
  get passing(): boolean {
    return /^-ERR \[(IN-USE|LOGIN-DELAY|SYS\/TEMP)\]/i.test(this.status)
  }
}
