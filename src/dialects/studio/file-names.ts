/** What this API calls the files it answers with. */
const EXTENSIONS: Readonly<Record<string, string>> = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/webp': 'webp',
  'image/gif': 'gif',
  'image/avif': 'avif',
  'image/svg+xml': 'svg',
  'video/mp4': 'mp4',
  'video/webm': 'webm',
  'video/quicktime': 'mov',
  'model/gltf-binary': 'glb',
}

/** `generated-image-<id>-1.webp`: the name with the ending that the file's type has, or the one that it was stored with. */
export function fileNameOf(name: string, file: { contentType: string; fileName: string }): string {
  const extension = EXTENSIONS[file.contentType] ?? /\.([a-z0-9]{1,8})$/i.exec(file.fileName)?.[1]
  return extension === undefined ? name : `${name}.${extension}`
}
