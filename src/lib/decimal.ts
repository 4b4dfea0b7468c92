/** Plain decimal text and scaled integers, exactly: no float is ever in between. */

const DECIMAL = /^(-?)(\d{1,30})(?:\.(\d{1,30}))?$/

/**
 * Reads `"12.5"` with 9 decimals as `12500000000n`. Throws a RangeError for anything that is not a plain decimal
 * (no exponent, no leading `+` or `.`) or has more decimals than the scale keeps.
 */
export function decimalToScaled(text: string, decimals: number): bigint {
  const match = DECIMAL.exec(text)
  if (!match) throw new RangeError(`"${text}" is not a plain decimal number`)
  const fraction = (match[3] ?? '').replace(/0+$/, '')
  if (fraction.length > decimals) throw new RangeError(`"${text}" has more than ${decimals} decimals`)
  const scaled = BigInt(match[2] + fraction.padEnd(decimals, '0'))
  return match[1] === '-' ? -scaled : scaled
}

/** Writes `12500000000n` with 9 decimals as `"12.5"`: no exponent, no trailing zeros. */
export function scaledToDecimal(scaled: bigint, decimals: number): string {
  const sign = scaled < 0n ? '-' : ''
  const digits = (scaled < 0n ? -scaled : scaled).toString().padStart(decimals + 1, '0')
  const whole = digits.slice(0, -decimals)
  const fraction = digits.slice(-decimals).replace(/0+$/, '')
  return fraction === '' ? sign + whole : `${sign}${whole}.${fraction}`
}
