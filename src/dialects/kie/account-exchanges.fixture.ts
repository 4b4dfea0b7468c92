/** Credits, links, uploads and a refusal, as their pages show them. */
import { GatewayError } from '#spec/errors.ts'
import type { Exchange } from './exchange.fixture.ts'
import { kieUploads } from './index.ts'

const refused = new GatewayError('key_daily_cap', 'The daily cap of this key is used up.', {
  refusals: [
    {
      code: 'key_daily_cap',
      limitNanoUsd: 5_000_000_000n,
      usedNanoUsd: 4_999_999_999n,
      heldNanoUsd: 0n,
      neededNanoUsd: 239_400n,
      resetsAt: new Date('2026-01-02T00:00:00Z'),
    },
  ],
})
const upload = { uploadPath: '/documents/test-uploads/', fileName: 'test.txt' }

export const ACCOUNT: readonly Exchange[] = [
  { name: 'credit', page: 'common-api/get-account-credits', request: 'GET /chat/credit' },
  {
    name: 'download-url',
    page: 'common-api/download-url',
    request: 'POST /common/download-url',
    body: { url: 'https://files.example/result-0.png' },
  },
  {
    name: 'download-url-foreign',
    page: 'common-api/download-url',
    request: 'POST /common/download-url',
    body: { url: 'https://tempfile.aiquickdraw.com/path/to/image.jpg' },
  },
  {
    name: 'capped',
    page: 'veo3-api/generate-veo-3-video',
    request: 'POST /veo/generate',
    body: {
      prompt: 'A golden retriever running through autumn leaves',
      model: 'veo3_fast',
      aspectRatio: '16:9',
    },
    script: { refuse: refused },
  },
  {
    name: 'upload-base64',
    page: 'file-upload-api/upload-file-base-64',
    request: 'POST /file-base64-upload',
    body: { base64Data: 'data:text/plain;base64,SGVsbG8gV29ybGQ=', ...upload },
    dialect: kieUploads,
  },
  {
    name: 'upload-without-path',
    page: 'file-upload-api/upload-file-base-64',
    request: 'POST /file-base64-upload',
    body: { base64Data: 'SGVsbG8gV29ybGQ=' },
    dialect: kieUploads,
  },
]
