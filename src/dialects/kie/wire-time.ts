/** The three ways kie writes a time. `null` where there is none yet. */

/** `2025-01-01T00:10:00.000Z`. */
export function isoTime(time: Date | undefined): string | null {
  return time?.toISOString() ?? null
}

/** Unix milliseconds. */
export function millisTime(time: Date | undefined): number | null {
  return time?.getTime() ?? null
}

/** `2025-01-01 00:10:00`, in UTC: kie states no zone. */
export function spacedTime(time: Date | undefined): string | null {
  return time?.toISOString().slice(0, 19).replace('T', ' ') ?? null
}
