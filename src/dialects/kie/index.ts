/** kie.ai's API: every path family is a file; `uploads.ts` is a dialect of its own, because it lives under another prefix. */
import { defineDialect } from '#dialect-kit/define-dialect.ts'
import { chatCredit, downloadUrl } from './account.ts'
import { alephGenerate, alephRecord } from './aleph.ts'
import { renderCallback, signCallback } from './callbacks.ts'
import { renderError, renderUploadError } from './errors.ts'
import { fluxGenerate, fluxRecord } from './flux.ts'
import { gpt4oDownloadUrl, gpt4oGenerate, gpt4oRecord } from './gpt4o.ts'
import { createTask, recordInfo } from './jobs.ts'
import { lumaModify, lumaRecord } from './luma.ts'
import { midjourneyGenerate } from './midjourney/generate.ts'
import { midjourneyExtend, midjourneyUpscale, midjourneyVary } from './midjourney/go-on.ts'
import { midjourneyRecord } from './midjourney/record.ts'
import { omniAudioCreate, omniCharacterCreate } from './omni.ts'
import { runwayExtend, runwayGenerate, runwayRecord } from './runway.ts'
import { signatureGuide } from './signature-guide.ts'
import { personaGenerate, styleGenerate, timestampedLyrics } from './suno/at-once.ts'
import { lyricsGenerate, lyricsRecord } from './suno/lyrics.ts'
import { midiGenerate, midiRecord } from './suno/midi.ts'
import { sunoExtend, sunoGenerate, sunoReplaceSection, sunoSounds } from './suno/music.ts'
import { musicRecord } from './suno/music-record.ts'
import {
  coverGenerate,
  coverRecord,
  mp4Generate,
  mp4Record,
  wavGenerate,
  wavRecord,
} from './suno/track-files.ts'
import {
  sunoAddInstrumental,
  sunoAddVocals,
  sunoMashup,
  sunoUploadCover,
  sunoUploadExtend,
} from './suno/uploaded-songs.ts'
import { vocalRemovalGenerate, vocalRemovalRecord } from './suno/vocal-removal.ts'
import {
  voiceCheck,
  voiceGenerate,
  voiceRecord,
  voiceRegenerate,
  voiceValidate,
  voiceValidateInfo,
} from './suno/voice.ts'
import { base64Upload, streamUpload, urlUpload } from './uploads.ts'
import { veoExtend, veoGenerate } from './veo/generate.ts'
import { veoRecord } from './veo/record.ts'
import { veo4k, veo1080p } from './veo/upscale.ts'

export { sunoGenerate }

const suno = [
  ...[sunoGenerate, sunoExtend, sunoUploadCover, sunoUploadExtend, sunoAddInstrumental, sunoAddVocals],
  ...[sunoMashup, sunoSounds, sunoReplaceSection, musicRecord],
  ...[personaGenerate, timestampedLyrics, styleGenerate],
  ...[lyricsGenerate, lyricsRecord, wavGenerate, wavRecord, mp4Generate, mp4Record],
  ...[vocalRemovalGenerate, vocalRemovalRecord, midiGenerate, midiRecord, coverGenerate, coverRecord],
  ...[voiceValidate, voiceValidateInfo, voiceRegenerate, voiceGenerate, voiceRecord, voiceCheck],
]

export default defineDialect({
  id: 'kie',
  endpoints: [
    ...[fluxGenerate, fluxRecord, gpt4oGenerate, gpt4oRecord, gpt4oDownloadUrl],
    ...[createTask, recordInfo],
    ...[veoGenerate, veoRecord, veo1080p, veo4k, veoExtend],
    ...[runwayGenerate, runwayRecord, runwayExtend, alephGenerate, alephRecord, lumaModify, lumaRecord],
    ...[midjourneyGenerate, midjourneyUpscale, midjourneyVary, midjourneyExtend, midjourneyRecord],
    ...[omniAudioCreate, omniCharacterCreate],
    ...suno,
    ...[chatCredit, downloadUrl],
  ],
  renderError: (error, _call, gateway) => renderError(error, gateway.credits),
  renderCallback,
  signCallback,
  signatureGuide,
})

/** Served under `/api`, beside the mounts of every other dialect. */
export const kieUploads = defineDialect({
  id: 'kie-uploads',
  endpoints: [base64Upload, streamUpload, urlUpload],
  renderError: (error, _call, gateway) => renderUploadError(error, gateway.credits),
})
