/** Packages that only some servers need: loaded when first used, and named when they are not there. */

/** A checker needs an npm package that is not installed. */
export class PackageMissing extends Error {
  override readonly name = 'PackageMissing'
}

/** @throws PackageMissing, with what to do about it */
export async function optional<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    const what = `the package ${name} is not installed; beside mailtap run: npm install ${name}`
    throw new PackageMissing(what, { cause: error })
  }
}
