/** The name that the operating system gives to what went wrong. */

/** Such as `ENOENT`; `undefined` if it was not a system call that failed. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined
}
