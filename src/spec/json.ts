/** A value that JSON can carry: what is stored in a task's row or sent to a vendor. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject

export interface JsonObject {
  readonly [name: string]: Json
}
