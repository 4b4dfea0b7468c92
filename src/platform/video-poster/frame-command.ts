/** How ffmpeg is asked for one frame. Every word of it is ours: nothing of a film or a client is ever an argument. */

/** One of the formats that are read at all. Told to ffmpeg, so that it never guesses: playlists and scripts are none. */
const DEMUXERS: ReadonlyMap<string, string> = new Map([
  ['video/mp4', 'mov'],
  ['video/quicktime', 'mov'],
  ['video/webm', 'matroska'],
])

/** Decoders by all the names under which builds of ffmpeg know them: H.264, H.265, VP8, VP9, AV1, MPEG-4. */
const DECODERS = 'h264,hevc,vp8,libvpx,vp9,libvpx-vp9,av1,libdav1d,libaom-av1,mpeg4'

/** Larger frames are not decoded: 8K has 35 million. */
const MOST_PIXELS = 36_000_000
const LARGEST_ALLOCATION_BYTES = 256 * 1024 ** 2
const LONGEST_SIDE_PX = 1_280
/** A frame that is this dark in so many of a hundred pixels is black. */
const BLACK = { luma: 24, percent: 96 }
/** Of so many frames the one that is most like the others is taken, which no cut and no flash is. */
const LOOKED_AT = 24
const LONGEST_LOOK_SECONDS = 8

/** Where the film lies: the first descriptor after the usual three. It has no name and no neighbours. */
const FILM = 'file:/dev/fd/3'

/** Where in a film the still is looked for, in seconds: a tenth in, and never far. */
export function stillAt(durationMs: number | undefined): number {
  return Math.min(3, (durationMs ?? 0) / 10_000)
}

/**
 * The arguments that print one frame as PNG to standard output; `undefined` for a format that is not read. With
 * `skipBlack` nothing is printed where all frames that are looked at are black.
 */
export function frameArguments(
  contentType: string,
  { atSeconds, skipBlack }: { readonly atSeconds: number; readonly skipBlack: boolean },
): readonly string[] | undefined {
  const demuxer = DEMUXERS.get(contentType)
  if (demuxer === undefined) return undefined
  return [
    ...['-nostdin', '-hide_banner', '-loglevel', 'quiet'],
    ...['-max_alloc', String(LARGEST_ALLOCATION_BYTES), '-filter_threads', '1'],
    ...['-threads', '1', '-protocol_whitelist', 'file', '-codec_whitelist', DECODERS],
    ...['-max_pixels', String(MOST_PIXELS), '-ss', atSeconds.toFixed(3), '-t', String(LONGEST_LOOK_SECONDS)],
    ...['-f', demuxer, '-i', FILM],
    // V: a video that is no attached picture.
    ...['-map', '0:V:0', '-an', '-sn', '-dn', '-map_metadata', '-1'],
    ...['-vf', filters(skipBlack), '-frames:v', '1', '-threads', '1'],
    ...['-c:v', 'png', '-compression_level', '1', '-f', 'image2pipe', 'pipe:1'],
  ]
}

function filters(skipBlack: boolean): string {
  const side = LONGEST_SIDE_PX
  const isBlack = `lavfi.blackframe.pblack:value=${BLACK.percent}`
  return [
    `scale=w='min(${side},iw)':h='min(${side},ih)':force_original_aspect_ratio=decrease`,
    ...(skipBlack
      ? [`blackframe=amount=0:threshold=${BLACK.luma}`, `metadata=mode=select:key=${isBlack}:function=less`]
      : []),
    `thumbnail=n=${LOOKED_AT}`,
    'format=rgb24',
  ].join(',')
}
