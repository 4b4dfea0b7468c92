/** Khronos's validator, used by the tests, comes without types. */
declare module 'gltf-validator' {
  export interface ValidationReport {
    readonly issues: {
      readonly numErrors: number
      readonly numWarnings: number
      readonly messages: readonly unknown[]
    }
    readonly info: Readonly<Record<string, unknown>>
  }
  export function validateBytes(
    data: Uint8Array,
    options?: { readonly format?: 'glb' | 'gltf' },
  ): Promise<ValidationReport>
}
