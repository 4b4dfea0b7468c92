/** Numbers and tables as they stand on a page. */

/** The first column is of words, the others of numbers. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [
    line(heads),
    `|${heads.map((_, at) => (at === 0 ? '---|' : '---:|')).join('')}`,
    ...rows.map(line),
  ].join('\n')
}

/** How many times the base; a dash where there is no base. */
export function times(rate: number, base: number | undefined): string {
  return base ? (rate / base).toFixed(2) : '–'
}

/** Milliseconds. */
export function ms(value: number): string {
  return value.toFixed(Math.abs(value) < 10 ? 2 : 1)
}

export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}
