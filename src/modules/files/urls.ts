/** The addresses of files: `<base>/files/<token>/<name>`. The token alone decides; the name is for people. */

const PATH = /^\/files\/([0-9A-Za-z]{43})\/([^/?#]{1,300})$/
const THUMBNAIL = 'thumbnail.webp'

export interface FileAddress {
  readonly token: string
  readonly isThumbnail: boolean
}

/** Reads the path of a file's URL, or `undefined` where no file can be there. */
export function parseFilePath(path: string): FileAddress | undefined {
  const match = PATH.exec(path)
  if (!match?.[1]) return undefined
  return { token: match[1], isThumbnail: match[2] === THUMBNAIL }
}

/**
 * Reads a file's URL under any of our own bases, or `undefined` where it is somebody else's. The bases are origins with an
 * optional path, such as `https://cdn.example.com/media`.
 */
export function parseFileUrl(url: string, bases: readonly string[]): FileAddress | undefined {
  for (const base of bases) {
    if (url.startsWith(`${base}/files/`)) return parseFilePath(url.slice(base.length))
  }
  return undefined
}

export function fileUrl(base: string, file: { readonly token: string; readonly fileName: string }): string {
  return `${base}/files/${file.token}/${encodeURIComponent(file.fileName)}`
}

export function thumbnailUrl(base: string, file: { readonly token: string }): string {
  return `${base}/files/${file.token}/${THUMBNAIL}`
}

/** What is looked at of a name: who says it decides how long it is. */
const LONGEST_NAME = 300

/** A name that is safe in a URL, a header and on any disk: from what a client or vendor says, or the fallback. */
export function safeFileName(name: string | undefined, extension: string, fallback: string): string {
  const stem = (name ?? '')
    .slice(0, LONGEST_NAME)
    .replace(/\.[^.]*$/, '')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '')
    .slice(0, 100)
  return `${stem === '' || stem === 'thumbnail' ? fallback : stem}.${extension}`
}
