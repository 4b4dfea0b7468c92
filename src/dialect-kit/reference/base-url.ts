/** Where the server is reached is known with the request, long after the reference was written: a mark stands for it. */

/** The mark. No text of the reference holds it for any other reason, since nothing can be served under it (RFC 6761). */
export const BASE_URL = 'https://base-url.invalid'

/** The text with the server's address in it, such as `https://api.example.com`: an origin, without quotes or brackets. */
export function withBaseUrl(text: string, baseUrl: string): string {
  return text.replaceAll(BASE_URL, () => baseUrl)
}
