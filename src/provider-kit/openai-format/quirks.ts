/** How a vendor of the OpenAI family differs from the format, as data. */
export interface OpenAiQuirks {
  /** Where a limit on output tokens goes when we have to set one and the client's body has none. */
  readonly outputLimitField: 'max_tokens' | 'max_completion_tokens'
  /**
   * Fields of a client's body that would change what the vendor bills, against the price that was held: they
   * are dropped, except with one of the values listed.
   */
  readonly withheldFields: Readonly<Record<string, readonly unknown[]>>
  /** Write the model's name as the client wrote it into every answer, in place of the vendor's. */
  readonly echoModel: boolean
  /** Sent with every call, beside credential and content type. Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
}

export const DEFAULT_QUIRKS: OpenAiQuirks = {
  outputLimitField: 'max_tokens',
  withheldFields: {},
  echoModel: true,
  headers: {},
}
