/**
 * Spellings of what must never be fetched, as attackers and write-ups spell them. Each is refused by its text alone,
 * also where http and any port are allowed, so that no other rule hides a hole in the one that is meant.
 */

/** Stands where a port goes, so that a test can put the port of its own listener there. */
const PORT = '{port}'

/** The loopback, in every form that a URL parser turns into it. */
const LOOPBACK_IPV4 = words(`
  127.0.0.1 127.0.0.2 127.1.2.3 127.255.255.255 127.1 127.0.1 127.65530 2130706433 2130706434 0x7f000001
  0x7F000001 0X7f000001 017700000001 0000017700000001 0x7f.0x0.0x0.0x1 0177.0.0.1 0177.0.0.01
  0177.0x0.0.1 00000177.0.0.1 0x7f.1 0x7f.0.1 0177.1 127.0x1 127.0.0x1 127.01 127.0.0.0x000001
  0x7f.0.0.0x1 0x00007f.1 127.0x000001 127.0.0.1. 2130706433. 0x7f000001. 0177.1. 127.1. %31%32%37.0.0.1
  %31%32%37%2e%30%2e%30%2e%31 127%2E0%2E0%2E1 %30x7f.1 127.0.0.%31 0%787f000001 ①②⑦.⓪.⓪.① １２７.０.０.１
  127。0。0。1 127．0．0．1 127｡0｡0｡1 𝟏𝟐𝟕.𝟎.𝟎.𝟏 𝟙𝟚𝟟.0.0.1 127.0.0.¹ ²130706433
  %EF%BC%91%EF%BC%92%EF%BC%97.0.0.1 ０x7f.1 0ｘ7f.1 127.0.0.1\u00ad 1\u200b27.0.0.1
`)

const OTHER_IPV4 = words(`
  0 0.0.0.0 0x0 00 0.0 0.0.0 0.1.2.3 0x0.0x0 0000.0000.0000.0000 0. ０ 10.0.0.1 10.1 0xa.1 012.0.0.1
  167772161 0x0a000001 10.255.255.255 %310.0.0.1 172.16.0.1 172.31.255.255 0xac.0x10.0.1 2886729729
  0254.020.0.1 172.16.1 172.1048577 192.168.0.1 192.168.1 192.11010049 3232235521 0xc0a80001
  0300.0250.0.1 030052000001 100.64.0.1 100.127.255.254 198.18.0.1 198.19.255.255 192.0.0.1 192.0.2.1
  198.51.100.1 203.0.113.1 192.88.99.1 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255 4294967295
  0xffffffff
`)

const METADATA = words(`
  169.254.169.254 169.254.43518 169.16689662 2852039166 0xa9fea9fe 0xA9.0xFE.0xA9.0xFE
  0251.0376.0251.0376 025177524776 169.254.169.254. %31%36%39.254.169.254 ①⑥⑨.②⑤④.①⑥⑨.②⑤④ 169.254.170.2
  169.254.0.23 169.254.42.42 100.100.100.200 192.0.0.192 168.63.129.16 0xa83f8110 [fd00:ec2::254]
  [fd20:ce::254] [fd00:42::42] [fe80::a9fe:a9fe] [fd00:c1::a9fe:a9fe] metadata metadata.google.internal
  metadata.google.internal. METADATA.GOOGLE.INTERNAL metadata.goog www.metadata.goog
  metadata.azure.internal instance-data instance-data.ec2.internal rancher-metadata
`)

const IPV6 = words(`
  [::1] [0:0:0:0:0:0:0:1] [0000:0000:0000:0000:0000:0000:0000:0001] [::0:1] [::0.0.0.1] [0::1] [::]
  [0::0] [::ffff:127.0.0.1] [::FFFF:127.0.0.1] [::ffff:7f00:1] [0:0:0:0:0:ffff:127.0.0.1]
  [0:0:0:0:0:ffff:7f00:0001] [::ffff:10.0.0.1] [::ffff:c0a8:1] [::ffff:169.254.169.254]
  [::ffff:a9fe:a9fe] [::ffff:0.0.0.0] [::ffff:8.8.8.8] [::127.0.0.1] [::7f00:1] [::a9fe:a9fe]
  [::10.0.0.1] [::ffff:0:127.0.0.1] [::ffff:0:7f00:1] [64:ff9b::127.0.0.1] [64:ff9b::7f00:1]
  [64:ff9b::a9fe:a9fe] [64:ff9b::a00:1] [64:ff9b:1::7f00:1] [64:ff9b:1::a9fe:a9fe] [2002:7f00:1::]
  [2002:7f00:1::1] [2002:a9fe:a9fe::] [2002:a00:1::] [2002:c0a8:1::1] [2001:0:7f00:1::]
  [2001::80ff:fffe] [2001:0:0:0:0:0:5601:5601] [2001:db8::1] [2001:2::1] [2001:10::1] [2001:20::1]
  [2600:1f18::5efe:127.0.0.1] [2600:1f18::200:5efe:7f00:1] [3fff::1] [3ffe::1] [100::1] [5f00::1]
  [fc00::1] [fd12:3456:789a::1] [FD00::1] [fe80::1] [FE80::1] [febf::1] [fec0::1] [ff02::1] [ff0e::1]
`)

const NAMES = words(`
  localhost LOCALHOST LocalHost localhost. foo.localhost foo.localhost. localhost.localdomain
  %6cocalhost l%6Fcalhost %6c%6f%63%61%6c%68%6f%73%74 ⓛⓞⓒⓐⓛⓗⓞⓢⓣ ｌｏｃａｌｈｏｓｔ local\u00adhost 𝓵𝓸𝓬𝓪𝓵𝓱𝓸𝓼𝓽
  localhoſt localhost6 ip6-localhost ip6-loopback broadcasthost host.docker.internal
  gateway.docker.internal kubernetes kubernetes.default.svc kubernetes.default.svc.cluster.local redis
  postgres printer.local nas.lan router.home router.home.arpa wiki.corp wiki.intranet db.private
  vault.internal 1.0.0.127.in-addr.arpa expyuzz4wqqyqhjn.onion host.test host.example host.invalid com
  com.
`)

/** Refused because they point where nothing may be fetched. */
const FORBIDDEN_HOSTS: readonly string[] = [...LOOPBACK_IPV4, ...OTHER_IPV4, ...METADATA, ...IPV6, ...NAMES]

export const FORBIDDEN_TARGETS: readonly string[] = FORBIDDEN_HOSTS.map(
  host => `http://${host}:${PORT}/latest`,
)

/** Refused because of how they are written, wherever they would lead. */
export const MALFORMED_TARGETS: readonly string[] = [
  // A user name makes one host look like another.
  `http://example.com@127.0.0.1:${PORT}/`,
  `http://example.com:80@127.0.0.1:${PORT}/`,
  `http://127.0.0.1:${PORT}@example.com/`,
  `http://@127.0.0.1:${PORT}/`,
  `http://:@127.0.0.1:${PORT}/`,
  `http://a:b@c:d@127.0.0.1:${PORT}/`,
  `http://example.com%40@127.0.0.1:${PORT}/`,
  `http://user@example.com:${PORT}/`,
  `http://user:secret@example.com:${PORT}/`,
  `http://@example.com:${PORT}/`,
  // Parsers disagree about backslashes, missing and surplus slashes, and what is stripped.
  `http:\\\\127.0.0.1:${PORT}/`,
  `http:/\\127.0.0.1:${PORT}/`,
  `http://example.com\\@127.0.0.1:${PORT}/`,
  `http://127.0.0.1:${PORT}\\.example.com/`,
  `http:127.0.0.1:${PORT}/`,
  `http:/127.0.0.1:${PORT}/`,
  `http:///127.0.0.1:${PORT}/`,
  `http:////127.0.0.1:${PORT}/`,
  `//127.0.0.1:${PORT}/`,
  ` http://127.0.0.1:${PORT}/`,
  `http://127.0.0.1:${PORT}/ `,
  `\thttp://127.0.0.1:${PORT}/`,
  `ht\ntp://127.0.0.1:${PORT}/`,
  `http://127.0.\t0.1:${PORT}/`,
  `http://127.0.0.1\r\n:${PORT}/`,
  `\u0000http://127.0.0.1:${PORT}/`,
  `http://exa\tmple.com:${PORT}/`,
  `http://example.com:${PORT}/\r\nHost: 127.0.0.1`,
  `http://example.com:${PORT}/\u0085`,
  `\ufeffhttp://127.0.0.1:${PORT}/`,
  // Hosts that are none.
  'http://',
  'http:///',
  'http://:80/',
  `http://?@127.0.0.1:${PORT}/`,
  `http://#@127.0.0.1:${PORT}/`,
  `http://127.0.0.1.5:${PORT}/`,
  `http://256.0.0.1:${PORT}/`,
  `http://127.0.0.256:${PORT}/`,
  `http://4294967296:${PORT}/`,
  `http://0x100000000:${PORT}/`,
  `http://08.0.0.1:${PORT}/`,
  `http://127.0.0.08:${PORT}/`,
  `http://0x7g.0.0.0x:${PORT}/`,
  `http://example.127:${PORT}/`,
  `http://127.0.0.1%00.example.com:${PORT}/`,
  `http://127.0.0.1%20.example.com:${PORT}/`,
  `http://127.0.0.1%2f.example.com:${PORT}/`,
  `http://127.0.0.1%23.example.com:${PORT}/`,
  `http://127.0.0.1%3a80.example.com:${PORT}/`,
  `http://%zz.example.com:${PORT}/`,
  `http://[::1:${PORT}/`,
  `http://::1:${PORT}/`,
  `http://[::1%25lo]:${PORT}/`,
  `http://[fe80::1%eth0]:${PORT}/`,
  `http://[127.0.0.1]:${PORT}/`,
  `http://[::ffff:127.0.0.1.]:${PORT}/`,
  `http://[::1]a:${PORT}/`,
  `http://[0:0:0:0:0:0:0:0:1]:${PORT}/`,
  `http://[::ffff:0x7f.0.0.1]:${PORT}/`,
  `http://example.com.:${PORT}/`,
  `http://example..com:${PORT}/`,
  `http://.example.com:${PORT}/`,
  `http://exa*mple.com:${PORT}/`,
  `http://a'b.example.com:${PORT}/`,
  `http://${'a'.repeat(64)}.com:${PORT}/`,
  `http://${'a.'.repeat(127)}com:${PORT}/`,
  'http://example.com:99999/',
  'http://example.com:-1/',
  'http://example.com:80a/',
  'http://127.0.0.1:0x50/',
  'http://127.0.0.1:８０a/',
  // Other schemes, and none.
  'file:///etc/passwd',
  'file://127.0.0.1/etc/passwd',
  'ftp://127.0.0.1/',
  'sftp://127.0.0.1/',
  'ssh://127.0.0.1/',
  'tftp://127.0.0.1/x',
  `gopher://127.0.0.1:${PORT}/_x`,
  'dict://127.0.0.1:11211/stats',
  'ldap://127.0.0.1/',
  'redis://127.0.0.1:6379/',
  'smb://127.0.0.1/x',
  `ws://127.0.0.1:${PORT}/`,
  `wss://127.0.0.1:${PORT}/`,
  'jar:http://127.0.0.1!/',
  'data:text/html,x',
  'javascript:alert(1)',
  'blob:http://127.0.0.1/x',
  'about:blank',
  'netdoc:///etc/passwd',
  'view-source:http://127.0.0.1/',
  'unix:/var/run/docker.sock',
  'http+unix://%2Fvar%2Frun%2Fdocker.sock/x',
  '',
  ' ',
  '/',
  '127.0.0.1',
  `127.0.0.1:${PORT}/`,
  'localhost/x',
  'example.com',
  '?',
  '#',
  'https',
  'https:',
  `h\u0442tp://127.0.0.1:${PORT}/`,
  `http://example.com:${PORT}/${'x'.repeat(8_192)}`,
]

/** Puts a port where the table leaves it open. */
export function atPort(target: string, port: number): string {
  return target.replaceAll(PORT, String(port))
}

function words(text: string): string[] {
  return text.trim().split(/[ \n]+/)
}
