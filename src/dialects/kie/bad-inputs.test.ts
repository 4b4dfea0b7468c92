import { describe, expect, it } from 'vitest'
import { serveInMemory } from '#dialect-kit/in-memory-http.ts'
import { GOOD_KEY, ScriptedGateway } from '#dialect-kit/scripted-gateway.ts'
import kie from './index.ts'
import { PARENT_SONG, PARENT_VIDEO, SCRIPT } from './test-script.ts'

const url = 'https://a.example/x'
const urls = (count: number) => Array.from({ length: count }, (_, index) => `${url}${index}`)
const long = (chars: number) => 'x'.repeat(chars)
const song = { prompt: 'x', customMode: false, instrumental: false, model: 'V4' }
const custom = { ...song, customMode: true, style: 'Pop', title: 'T' }

/** A good body of each path, changes to it (`undefined` removes a field), and the field the answer must name. */
const BAD: Readonly<
  Record<string, { good: object; bad: readonly (readonly [Record<string, unknown>, string])[] }>
> = {
  '/flux/kontext/generate': {
    good: { prompt: 'x' },
    bad: [
      [{ prompt: undefined }, 'prompt'],
      [{ prompt: '' }, 'prompt'],
      [{ prompt: 5 }, 'prompt'],
      [{ model: 'flux-kontext-ultra' }, 'model'],
      [{ aspectRatio: '2:1' }, 'aspectRatio'],
      [{ outputFormat: 'gif' }, 'outputFormat'],
      [{ safetyTolerance: 7 }, 'safetyTolerance'],
      [{ safetyTolerance: 1.5 }, 'safetyTolerance'],
      [{ enableTranslation: 'yes' }, 'enableTranslation'],
      [{ inputImage: 'ftp://x' }, 'inputImage'],
      [{ inputImage: ['https://a.example', 5] }, 'inputImage'],
      [{ callBackUrl: 'x' }, 'callBackUrl'],
      [{ callBackUrl: 5 }, 'callBackUrl'],
    ],
  },
  '/mj/generate': {
    good: { taskType: 'mj_txt2img', prompt: 'x' },
    bad: [
      [{ taskType: undefined }, 'taskType'],
      [{ taskType: 'mj_imagine' }, 'taskType'],
      [{ prompt: undefined }, 'prompt'],
      [{ prompt: long(2_001) }, 'prompt'],
      [{ speed: 'slow' }, 'speed'],
      [{ aspectRatio: '21:9' }, 'aspectRatio'],
      [{ version: '4' }, 'version'],
      [{ version: 6.2 }, 'version'],
      [{ variety: 101 }, 'variety'],
      [{ stylization: -1 }, 'stylization'],
      [{ weirdness: 3_001 }, 'weirdness'],
      [{ ow: 0 }, 'ow'],
      [{ videoBatchSize: 3 }, 'videoBatchSize'],
      [{ motion: 'medium' }, 'motion'],
      [{ waterMark: 5 }, 'waterMark'],
      [{ taskType: 'mj_img2img' }, 'fileUrls'],
      [{ taskType: 'mj_img2img', fileUrls: [] }, 'fileUrls'],
      [{ taskType: 'mj_img2img', fileUrls: ['x'] }, 'fileUrls[0]'],
      [{ taskType: 'mj_omni_reference', fileUrl: 'data:image/png;base64,AA' }, 'fileUrl'],
      [{ taskType: 'mj_video', fileUrls: urls(2) }, 'fileUrls'],
      [{ taskType: 'mj_video_hd' }, 'fileUrls'],
    ],
  },
  '/omni/audio/create': {
    good: { audio_id: 'achernar', name: 'Narrator' },
    bad: [
      [{ audio_id: undefined }, 'audio_id'],
      [{ audio_id: 'Achernar' }, 'audio_id'],
      [{ name: '' }, 'name'],
      [{ name: long(211) }, 'name'],
      [{ voice_description: long(20_001) }, 'voice_description'],
      [{ example_dialogue: long(121) }, 'example_dialogue'],
    ],
  },
  '/omni/character/create': {
    good: { descriptions: 'Ada', image_urls: [url] },
    bad: [
      [{ descriptions: undefined }, 'descriptions'],
      [{ descriptions: '' }, 'descriptions'],
      [{ image_urls: undefined }, 'image_urls'],
      [{ image_urls: [] }, 'image_urls'],
      [{ image_urls: urls(2) }, 'image_urls'],
      [{ image_urls: ['x'] }, 'image_urls[0]'],
      [{ audio_ids: 'voice_1' }, 'audio_ids'],
      [{ audio_ids: [5] }, 'audio_ids[0]'],
      [{ character_name: 5 }, 'character_name'],
    ],
  },
  '/gpt4o-image/generate': {
    good: { prompt: 'x', size: '1:1' },
    bad: [
      [{ size: undefined }, 'size'],
      [{ size: '16:9' }, 'size'],
      [{ prompt: undefined }, 'prompt'],
      [{ filesUrl: urls(6) }, 'filesUrl'],
      [{ filesUrl: [url, 'x'] }, 'filesUrl[1]'],
      [{ filesUrl: url }, 'filesUrl'],
      [{ nVariants: 3 }, 'nVariants'],
      [{ fallbackModel: 'X' }, 'fallbackModel'],
      [{ maskUrl: 'x' }, 'maskUrl'],
    ],
  },
  '/veo/generate': {
    good: { prompt: 'x' },
    bad: [
      [{ prompt: undefined }, 'prompt'],
      [{ model: 'veo2' }, 'model'],
      [{ aspect_ratio: '1:1' }, 'aspect_ratio'],
      [{ aspectRatio: '1:1' }, 'aspectRatio'],
      [{ imageUrls: urls(4) }, 'imageUrls'],
      [{ imageUrls: ['x'] }, 'imageUrls[0]'],
      [{ imageUrls: urls(3), generationType: 'FIRST_AND_LAST_FRAMES_2_VIDEO' }, 'imageUrls'],
      [{ imageUrls: urls(1), generationType: 'TEXT_2_VIDEO' }, 'imageUrls'],
      [{ generationType: 'REFERENCE_2_VIDEO' }, 'imageUrls'],
      [{ generationType: 'IMAGE_2_VIDEO' }, 'generationType'],
      [{ resolution: '480p' }, 'resolution'],
      [{ duration: 5 }, 'duration'],
      [{ seeds: 1 }, 'seeds'],
      [{ seeds: 100_000 }, 'seeds'],
    ],
  },
  '/veo/extend': {
    good: { taskId: 'x', prompt: 'x' },
    bad: [
      [{ taskId: undefined }, 'taskId'],
      [{ taskId: 5 }, 'taskId'],
      [{ prompt: undefined }, 'prompt'],
      [{ model: 'veo3' }, 'model'],
      [{ seeds: 9_999 }, 'seeds'],
    ],
  },
  '/veo/get-4k-video': {
    good: { taskId: 'x' },
    bad: [
      [{ taskId: '' }, 'taskId'],
      [{ index: -1 }, 'index'],
      [{ index: 'x' }, 'index'],
    ],
  },
  '/runway/generate': {
    good: { prompt: 'x', duration: 5, quality: '720p', aspectRatio: '1:1' },
    bad: [
      [{ prompt: long(1_801) }, 'prompt'],
      [{ duration: undefined }, 'duration'],
      [{ duration: 7 }, 'duration'],
      [{ duration: '5s' }, 'duration'],
      [{ quality: undefined }, 'quality'],
      [{ quality: '4k' }, 'quality'],
      [{ quality: '1080p', duration: 10 }, 'quality'],
      [{ quality: '1080p', duration: '10' }, 'quality'],
      [{ aspectRatio: undefined }, 'aspectRatio'],
      [{ aspectRatio: '21:9' }, 'aspectRatio'],
      [{ imageUrl: 'x' }, 'imageUrl'],
    ],
  },
  '/runway/extend': {
    good: { taskId: 'x', prompt: 'x', quality: '720p' },
    bad: [
      [{ taskId: undefined }, 'taskId'],
      [{ quality: undefined }, 'quality'],
    ],
  },
  '/aleph/generate': {
    good: { prompt: 'x', videoUrl: url },
    bad: [
      [{ videoUrl: undefined }, 'videoUrl'],
      [{ videoUrl: 'x' }, 'videoUrl'],
      [{ aspectRatio: '2:3' }, 'aspectRatio'],
      [{ seed: 'x' }, 'seed'],
      [{ referenceImage: 'x' }, 'referenceImage'],
    ],
  },
  '/modify/generate': { good: { prompt: 'x', videoUrl: url }, bad: [[{ videoUrl: 'x' }, 'videoUrl']] },
  '/generate': {
    good: song,
    bad: [
      [{ customMode: undefined }, 'customMode'],
      [{ customMode: 'true' }, 'customMode'],
      [{ instrumental: undefined }, 'instrumental'],
      [{ model: undefined }, 'model'],
      [{ model: 'V9' }, 'model'],
      [{ prompt: undefined }, 'prompt'],
      [{ prompt: long(501) }, 'prompt'],
      [{ ...custom, style: undefined }, 'style'],
      [{ ...custom, title: undefined }, 'title'],
      [{ ...custom, prompt: undefined }, 'prompt'],
      [{ ...custom, prompt: long(3_001) }, 'prompt'],
      [{ ...custom, style: long(201) }, 'style'],
      [{ ...custom, title: long(81) }, 'title'],
      [{ ...custom, model: 'V5', prompt: long(5_001) }, 'prompt'],
      [{ ...custom, model: 'V5', style: long(1_001) }, 'style'],
      [{ styleWeight: 1.1 }, 'styleWeight'],
      [{ weirdnessConstraint: -0.1 }, 'weirdnessConstraint'],
      [{ audioWeight: '0.5' }, 'audioWeight'],
      [{ vocalGender: 'x' }, 'vocalGender'],
      [{ duration: 9 }, 'duration'],
      [{ personaModel: 'x' }, 'personaModel'],
    ],
  },
  '/generate/extend': {
    good: { defaultParamFlag: false, audioId: 'x', model: 'V4' },
    bad: [
      [{ defaultParamFlag: undefined }, 'defaultParamFlag'],
      [{ audioId: undefined }, 'audioId'],
      [{ audioId: 'x' }, 'audioId'],
      [{ continueAt: 0 }, 'continueAt'],
      [{ model: 'V4', title: long(81) }, 'title'],
      [{ model: 'V5', title: long(101) }, 'title'],
    ],
  },
  '/generate/upload-cover': {
    good: { ...song, uploadUrl: url },
    bad: [
      [{ uploadUrl: undefined }, 'uploadUrl'],
      [{ uploadUrl: 'x' }, 'uploadUrl'],
      [{ customMode: true }, 'style'],
    ],
  },
  '/generate/upload-extend': {
    good: { uploadUrl: url, defaultParamFlag: false, continueAt: 1, model: 'V4' },
    bad: [
      [{ continueAt: undefined }, 'continueAt'],
      [{ defaultParamFlag: true }, 'style'],
    ],
  },
  '/generate/add-instrumental': {
    good: { uploadUrl: url, title: 'x', tags: 'x', negativeTags: 'x' },
    bad: [
      [{ tags: undefined }, 'tags'],
      [{ negativeTags: undefined }, 'negativeTags'],
      [{ negativeTags: long(201) }, 'negativeTags'],
      [{ model: 'V4' }, 'model'],
    ],
  },
  '/generate/add-vocals': {
    good: { uploadUrl: url, prompt: 'x', title: 'x', style: 'x', negativeTags: 'x' },
    bad: [
      [{ style: undefined }, 'style'],
      [{ negativeTags: null }, 'negativeTags'],
    ],
  },
  '/generate/mashup': {
    good: { ...song, uploadUrlList: urls(2) },
    bad: [
      [{ uploadUrlList: urls(1) }, 'uploadUrlList'],
      [{ uploadUrlList: urls(3) }, 'uploadUrlList'],
      [{ uploadUrlList: [url, 'x'] }, 'uploadUrlList[1]'],
    ],
  },
  '/generate/sounds': {
    good: { prompt: 'x', model: 'V5' },
    bad: [
      [{ model: 'V4' }, 'model'],
      [{ soundTempo: 301 }, 'soundTempo'],
      [{ soundKey: 'H' }, 'soundKey'],
    ],
  },
  '/generate/replace-section': {
    good: {
      ...{ prompt: 'x', tags: 'x', title: 'x', fullLyrics: 'x', infillStartS: 0, infillEndS: 10 },
      ...{ uploadUrl: url, model: 'V4' },
    },
    bad: [
      [{ infillEndS: 5 }, 'infillEndS'],
      [{ model: undefined }, 'model'],
      [{ taskId: 'x' }, 'uploadUrl'],
      [{ uploadUrl: undefined }, 'taskId'],
      [{ uploadUrl: undefined, taskId: 'x' }, 'audioId'],
    ],
  },
  '/lyrics': { good: { prompt: 'x' }, bad: [[{ prompt: long(201) }, 'prompt']] },
  '/vocal-removal/generate': {
    good: { audioUrl: url },
    bad: [
      [{ audioUrl: undefined }, 'taskId'],
      [{ audioUrl: undefined, taskId: 'x' }, 'audioId'],
      [{ taskId: 'x' }, 'audioUrl'],
      [{ audioUrl: 'x' }, 'audioUrl'],
      [{ type: 'x' }, 'type'],
      [{ type: 'split_stem_advanced' }, 'stemName'],
      [{ type: 'split_stem_advanced', stemName: 'Kazoo' }, 'stemName'],
    ],
  },
  '/generate/generate-persona': {
    good: { taskId: 'x', audioId: 'x', name: 'x', description: 'x' },
    bad: [
      [{ name: undefined }, 'name'],
      [{ vocalStart: 0, vocalEnd: 9 }, 'vocalEnd'],
      [{ vocalStart: 0, vocalEnd: 31 }, 'vocalEnd'],
    ],
  },
  '/style/generate': { good: { content: 'x' }, bad: [[{ content: undefined }, 'content']] },
  '/voice/validate': {
    good: { voiceUrl: url, vocalStartS: 0, vocalEndS: 10 },
    bad: [
      [{ vocalEndS: 0 }, 'vocalEndS'],
      [{ vocalStartS: 1.5 }, 'vocalStartS'],
      [{ language: 'xx' }, 'language'],
      [{ voiceUrl: 'x' }, 'voiceUrl'],
    ],
  },
  '/voice/check-voice': { good: { task_id: 'x' }, bad: [[{ task_id: undefined }, 'task_id']] },
  '/gpt4o-image/download-url': { good: { taskId: 'x', url }, bad: [[{ url: undefined }, 'url']] },
  '/common/download-url': { good: { url }, bad: [[{ url: 'x' }, 'url']] },
}

const CASES = Object.entries(BAD).flatMap(([path, { good, bad }]) =>
  bad.map(([change, param]) => ({
    path,
    body: { ...good, ...change },
    change: JSON.stringify(change),
    param,
  })),
)

describe('a wrong field is refused with code 422, by name, before anything is submitted', () => {
  it.each(CASES)('$path $change → $param', async ({ path, body, param }) => {
    const gateway = new ScriptedGateway({ ...SCRIPT, tasks: [PARENT_SONG, PARENT_VIDEO] })
    const headers = { authorization: `Bearer ${GOOD_KEY}` }
    const request = { method: 'POST', url: path, headers, body: JSON.stringify(body) }
    const answer = await serveInMemory(kie, gateway, request)
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body.toString())).toMatchObject({ code: 422, data: null, error: { param } })
    expect(gateway.asked.filter(({ method }) => method.startsWith('submit'))).toEqual([])
  })
})
