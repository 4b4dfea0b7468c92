/** A drawing of a cat, 256 pixels wide, for examples that send a file. */
export const SAMPLE_PICTURE: Buffer = Buffer.from(
  [
    'iVBORw0KGgoAAAANSUhEUgAAAQAAAAEAAQMAAABmvDolAAAABlBMVEX/9ODZdwYhLeEdAAAAXUlEQVR42u3YsQ3AIBAEQfpvGke2',
    'DJzlAm42g5/4kRhDWprzZwKUgUyee6AOnOR1CxSCHAAAwA7jiwMAQCWwJ4EE0hloBffSAAB7EpjLZ8TnGCgDmYT/K6AESNLRBUxH',
    'sDHOaV44AAAAAElFTkSuQmCC',
  ].join(''),
  'base64',
)
