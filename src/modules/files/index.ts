/** Files: artifacts and uploads. README.md has the words and the invariants. */
export type { FileKind, FileRecord, FileRole } from './record.ts'
export {
  fileFromJson,
  fileToJson,
  newFileToken,
  OBJECT_PREFIXES,
  objectKeyOf,
  readObjectKey,
  thumbnailKeyOf,
} from './record.ts'
export type { FileStore, ObjectSeen } from './store.pg.ts'
export { createFileStore } from './store.pg.ts'
export { fileUrl, parseFilePath, parseFileUrl, safeFileName, thumbnailUrl } from './urls.ts'
