import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createEgress } from './egress.js'
import type { Lookup } from './resolve.js'
import { fakeLookup, rejectsWith, serveHttp } from './testing.js'

/** What an admin may type to get inside, by the trick it plays. `PORT` is where a service of this machine listens. */
const HOSTILE: Readonly<Record<string, readonly string[]>> = {
  'IPv4 in its plain spelling': [
    'https://127.0.0.1:PORT/',
    'https://10.0.0.1/',
    'https://172.16.0.1/',
    'https://192.168.1.1/',
    'https://169.254.169.254/latest/meta-data/',
    'https://100.64.0.1/',
    'https://100.100.100.200/latest/meta-data/',
    'https://168.63.129.16/machine?comp=goalstate',
    'https://0.0.0.0:PORT/',
    'https://255.255.255.255/',
    'https://224.0.0.1/',
    'https://192.0.2.1/',
  ],
  'IPv4 in decimal, octal, hex, short or mixed': [
    'https://2130706433:PORT/',
    'https://017700000001:PORT/',
    'https://0x7f000001:PORT/',
    'https://0x7F.0x0.0x0.0x1:PORT/',
    'https://0177.0.0.01:PORT/',
    'https://127.1:PORT/',
    'https://127.0.1:PORT/',
    'https://0x7f.1:PORT/',
    'https://0177.0x0.1:PORT/',
    'https://0:PORT/',
    'https://0x0:PORT/',
    'https://2852039166/',
    'https://0xa9fea9fe/',
    'https://0251.0376.0251.0376/',
    'https://10.1/',
    'https://0xffffffff/',
  ],
  'IPv4 that is none, and that some parsers take for one': [
    'https://4294967296/',
    'https://127.0.0.256/',
    'https://1.2.3.4.5/',
    'https://127.0.0.1..:PORT/',
    'https://127..0.0.1:PORT/',
  ],
  'trailing dots': [
    'https://127.0.0.1.:PORT/',
    'https://localhost.:PORT/',
    'https://localhost..:PORT/',
    'https://2130706433.:PORT/',
  ],
  'IPv6 and what hides IPv4 in it': [
    'https://[::1]:PORT/',
    'https://[::]:PORT/',
    'https://[0:0:0:0:0:0:0:1]:PORT/',
    'https://[0000:0000:0000:0000:0000:0000:0000:0001]:PORT/',
    'https://[::ffff:127.0.0.1]:PORT/',
    'https://[::ffff:7f00:1]:PORT/',
    'https://[0:0:0:0:0:ffff:a9fe:a9fe]/',
    'https://[::127.0.0.1]:PORT/',
    'https://[::ffff:0:127.0.0.1]:PORT/',
    'https://[64:ff9b::127.0.0.1]:PORT/',
    'https://[64:ff9b::a9fe:a9fe]/',
    'https://[64:ff9b:1::a00:1]/',
    'https://[2002:7f00:1::]:PORT/',
    'https://[2002:a9fe:a9fe::1]/',
    'https://[2001:0:7f00:1::]/',
    'https://[fc00::1]/',
    'https://[fd00:ec2::254]/latest/meta-data/',
    'https://[fe80::1]/',
    'https://[fe80::1%25lo]:PORT/',
    'https://[fec0::1]/',
    'https://[ff02::1]/',
    'https://[::1%00]:PORT/',
  ],
  'full-width, circled and other signs that become ASCII': [
    'https://１２７.0.0.1:PORT/',
    'https://①②⑦.⓪.⓪.①:PORT/',
    'https://127。0。0。1:PORT/',
    'https://127．0．0．1:PORT/',
    'https://ｌｏｃａｌｈｏｓｔ:PORT/',
    'https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:PORT/',
    'https://loc\u00adalhost:PORT/',
    'https://loc\u200balhost:PORT/',
    'https://[：：1]:PORT/',
  ],
  'encoded hosts': [
    'https://%31%32%37.0.0.1:PORT/',
    'https://127%2e0%2e0%2e1:PORT/',
    'https://%6c%6f%63%61%6c%68%6f%73%74:PORT/',
    'https://127.0.0.1%00.example.com:PORT/',
    'https://127.0.0.1%23.example.com:PORT/',
    'https://127.0.0.1%0d%0a.example.com/',
  ],
  'userinfo that looks like a host': [
    'https://example.com@127.0.0.1:PORT/',
    'https://example.com:443@127.0.0.1:PORT/',
    'https://127.0.0.1:PORT@example.com/',
    'https://user:password@example.com/',
    'https://%40@127.0.0.1:PORT/',
    'https://@127.0.0.1:PORT/',
    'https://:@127.0.0.1:PORT/',
  ],
  'backslashes, tabs, line ends and missing slashes': [
    'https:\\\\127.0.0.1:PORT\\',
    'https:/127.0.0.1:PORT/',
    'https:127.0.0.1:PORT',
    'https://127.0.0.1:PORT\\@example.com/',
    'https://127.0.0\t.1:PORT/',
    'https://local\nhost:PORT/',
    'ht\ttps://127.0.0.1:PORT/',
    ' https://127.0.0.1:PORT/ ',
    'https:///127.0.0.1:PORT/',
    'https://exa mple.com/',
  ],
  schemes: [
    'http://example.com/',
    'http://127.0.0.1:PORT/',
    'HTTP://8.8.8.8/',
    'ftp://example.com/',
    'file:///etc/passwd',
    'gopher://127.0.0.1:PORT/_x',
    'dict://127.0.0.1:PORT/',
    'ldap://127.0.0.1:PORT/',
    'ws://127.0.0.1:PORT/',
    'wss://example.com/',
    'data:text/plain,x',
    'javascript:alert(1)',
    'unix:///var/run/docker.sock',
    'blob:https://example.com/x',
    '//127.0.0.1:PORT/',
    '127.0.0.1:PORT',
  ],
  ports: [
    'https://example.com:0/',
    'https://example.com:22/',
    'https://example.com:25/',
    'https://example.com:465/',
    'https://example.com:6667/',
    'https://example.com:65536/',
    'https://example.com:-1/',
    'https://example.com:443:80/',
  ],
  'names of this machine': [
    'https://localhost:PORT/',
    'https://LocalHost:PORT/',
    'https://app.localhost:PORT/',
    'https://localhost.localdomain:PORT/',
    'https://localhost6:PORT/',
    'https://ip6-localhost:PORT/',
    'https://ip6-loopback:PORT/',
  ],
  'names of private networks and of cloud metadata': [
    'https://metadata.google.internal/computeMetadata/v1/',
    'https://METADATA.GOOGLE.INTERNAL./computeMetadata/v1/',
    'https://metadata.google.internal../computeMetadata/v1/',
    'https://metadata/',
    'https://instance-data/latest/meta-data/',
    'https://kubernetes.default.svc/',
    'https://kubernetes.default.svc.cluster.local/',
    'https://host.docker.internal:PORT/',
    'https://vault/',
    'https://router.home.arpa/',
    'https://intranet.corp/',
    'https://printer.local/',
    'https://nas.lan/',
    'https://something.onion/',
  ],
  'public names whose DNS answers with an address inside': [
    'https://127.0.0.1.nip.io:PORT/',
    'https://7f000001.nip.io:PORT/',
    'https://10-0-0-1.sslip.io/',
    'https://app.169.254.169.254.nip.io/',
    'https://localtest.me:PORT/',
    'https://lvh.me:PORT/',
    'https://mapped.attacker.example/',
    'https://nat64.attacker.example/',
    'https://six-to-four.attacker.example/',
    'https://unspecified.attacker.example:PORT/',
    'https://one-of-many.attacker.example:PORT/',
    'https://last-of-many.attacker.example:PORT/',
    'https://nothing.attacker.example/',
  ],
}

/** As the DNS of an attacker answers; a public name that is not here is public. */
const DNS: Readonly<Record<string, readonly string[]>> = {
  '127.0.0.1.nip.io': ['127.0.0.1'],
  '7f000001.nip.io': ['127.0.0.1'],
  '10-0-0-1.sslip.io': ['10.0.0.1'],
  'app.169.254.169.254.nip.io': ['169.254.169.254'],
  'localtest.me': ['127.0.0.1', '::1'],
  'lvh.me': ['127.0.0.1'],
  'mapped.attacker.example': ['::ffff:10.0.0.1'],
  'nat64.attacker.example': ['64:ff9b::a00:1'],
  'six-to-four.attacker.example': ['2002:a00:1::1'],
  'unspecified.attacker.example': ['0.0.0.0'],
  'one-of-many.attacker.example': ['127.0.0.1', '8.8.8.8'],
  'last-of-many.attacker.example': ['8.8.8.8', '2606:4700::1111', '127.0.0.1'],
  'nothing.attacker.example': [],
}
const lookup: Lookup = async (host) =>
  (DNS[host] ?? ['8.8.8.8']).map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))

const seen: string[] = []
const service = await serveHttp((request, response) => {
  seen.push(request.url ?? '')
  response.end('inside')
})
const egress = createEgress({ allow: [], loopback: false, lookup, caps: { connectMs: 1_000 } })
const inside = (url: string) => url.replaceAll('PORT', String(service.port))
test.after(async () => {
  await egress.stop()
  await service.stop()
})

test('the service that must not be reached is there, and the list is long enough', async () => {
  const open = createEgress({ allow: [], loopback: true })
  assert.is((await open.fetch(inside('http://127.0.0.1:PORT/control'))).text(), 'inside')
  await open.stop()
  assert.equal(seen.splice(0), ['/control'])
  const all = Object.values(HOSTILE).flat()
  assert.ok(all.length >= 60 && new Set(all).size === all.length, `${all.length}`)
})

for (const [trick, urls] of Object.entries(HOSTILE)) {
  test(`refused when it is saved, and when it is called: ${trick}`, async () => {
    for (const url of urls.map(inside)) {
      await rejectsWith(
        'GH_EGRESS_REFUSED',
        egress.check(url).then(() => tell(url)),
      )
      await rejectsWith(
        'GH_EGRESS_REFUSED',
        egress.fetch(url).then(() => tell(url)),
      )
      const pooled = async () => egress.pool(url).request({ path: '/', method: 'GET' })
      await rejectsWith(
        'GH_EGRESS_REFUSED',
        pooled().then(() => tell(url)),
      )
    }
    assert.equal(seen, [])
  })
}

const tell = (url: string) => {
  throw new Error(`${JSON.stringify(url)} was let out`)
}

test('what comes before a backslash or a fragment is the host, for the check and for the connection alike', async () => {
  for (const url of [
    'https://public.example\\@127.0.0.1/',
    'https://public.example#@127.0.0.1/',
    'https://public.example?@127.0.0.1',
  ]) {
    const { lookup: asking, asked } = fakeLookup(['10.0.0.1'])
    const other = createEgress({ allow: [], loopback: false, lookup: asking })
    await rejectsWith('GH_EGRESS_REFUSED', other.check(url))
    await rejectsWith('GH_EGRESS_REFUSED', other.fetch(url))
    await other.stop()
    assert.equal(asked, ['public.example', 'public.example'])
  }
})

test('a host that the operator lists is reached at any port, and under a private name', async () => {
  const allow = ['vault', 'mail.example:25', '127.0.0.1']
  const open = createEgress({ allow, loopback: false, lookup: fakeLookup(['127.0.0.1']).lookup })
  assert.is((await open.fetch(inside('http://vault:PORT/listed'))).text(), 'inside')
  await open.check('https://mail.example:25/')
  await open.check('http://127.0.0.1:22/')
  await rejectsWith('GH_EGRESS_REFUSED', open.check('https://mail.example:587/'))
  await open.stop()
  seen.splice(0)
})

test.run()
