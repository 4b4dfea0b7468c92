/** Words that look like another word: what an error offers when a name is not known. */

/** Longer words are compared by their beginning: no name has more, and the work stays small whatever is sent. */
const COMPARED_LENGTH = 64

/**
 * The candidates closest to `word`, best first, at most `count`; fewer where the rest have little in common with
 * it. A candidate that contains the word, or is contained in it, comes before one that merely has a small edit
 * distance. Case does not matter. Ties keep the order of the candidates.
 */
export function nearest(word: string, candidates: Iterable<string>, count: number): string[] {
  const wanted = word.slice(0, COMPARED_LENGTH).toLowerCase()
  if (wanted === '' || count <= 0) return []
  const scored: { candidate: string; score: number }[] = []
  for (const candidate of candidates) {
    const score = distanceScore(wanted, candidate.slice(0, COMPARED_LENGTH).toLowerCase())
    if (score !== undefined) scored.push({ candidate, score })
  }
  scored.sort((a, b) => a.score - b.score)
  return scored.slice(0, count).map(entry => entry.candidate)
}

/** Smaller is closer; `undefined` where the two have too little in common to be a slip of the pen. */
function distanceScore(wanted: string, candidate: string): number | undefined {
  const shorter = Math.min(wanted.length, candidate.length)
  const longer = Math.max(wanted.length, candidate.length)
  const contained = shorter >= 3 && (candidate.includes(wanted) || wanted.includes(candidate))
  if (contained) return (longer - shorter) / (longer + 1)
  const most = Math.floor(longer * 0.4)
  const edits = editDistance(wanted, candidate, most)
  return edits > most ? undefined : 1 + edits
}

/** Insertions, deletions and replacements between two words; gives up with `most + 1` once it must be more than `most`. */
export function editDistance(left: string, right: string, most: number): number {
  if (Math.abs(left.length - right.length) > most) return most + 1
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let row = 1; row <= left.length; row++) {
    const current = [row]
    let best = row
    for (let column = 1; column <= right.length; column++) {
      const replaced = cell(previous, column - 1) + (left[row - 1] === right[column - 1] ? 0 : 1)
      const value = Math.min(replaced, cell(previous, column) + 1, cell(current, column - 1) + 1)
      current.push(value)
      if (value < best) best = value
    }
    if (best > most) return most + 1
    previous = current
  }
  return Math.min(cell(previous, right.length), most + 1)
}

function cell(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY
}
