import { createHash } from 'node:crypto'
import { ibanDigits, luhnDigit, nhsDigit } from './check-digits.mjs'
import { group } from './values.mjs'
import { DECOYS, NOUNS } from './words.mjs'

const wrong = (digit) => String((Number(digit) + 3) % 10)
const hex = (random, length) =>
  createHash('sha256').update(String(random.next())).digest('hex').repeat(2).slice(0, length)

/** What looks like personal data to a careless reader, and is none. */
const NEGATIVES = [
  (random) => `Order no. ${random.pick(['A', 'SO', 'PO'])}-${random.digits(random.between(6, 10))} is on its way.`,
  (random) => `sha256:${hex(random, 64)}`,
  (random) => `commit ${hex(random, 40)}`,
  (random) => `The object has the id ${uuid(random)}.`,
  (random) => `Upgrade from ${version(random)} to ${version(random)} first.`,
  (random) => `version ${random.between(1, 4)}.0.${random.between(0, 9)}.${random.between(0, 9)}`,
  (random) =>
    `User-Agent: Chrome/${random.between(90, 140)}.0.${random.between(4000, 7000)}.${random.between(10, 200)}`,
  (random) => `Windows build 10.0.${random.between(17_000, 26_000)}.1`,
  (random) => {
    const body = `4${random.digits(14)}`
    return `Tracking number ${group(random, body + wrong(luhnDigit(body)), 16)}`
  },
  (random) => {
    const body = `5${random.pick(['1', '2', '4'])}${random.digits(13)}`
    return `Voucher ${body}${wrong(luhnDigit(body))} has expired.`
  },
  (random) => {
    const account = random.digits(18)
    const digits = ibanDigits('DE', account)
    return `The key DE${wrong(digits[0])}${digits[1]}${account} does not pass the check.`
  },
  (random) => {
    const body = random.digits(9)
    return `Batch ${body.slice(0, 3)} ${body.slice(3, 6)} ${body.slice(6)}${wrong(nhsDigit(body) ?? '0')}`
  },
  (random) => `Form ${random.pick(['000', '666'])}-${random.digits(2)}-${random.digits(4)} was rejected.`,
  (random) => `Sample ${random.between(100, 899)}-00-${random.digits(4)}`,
  (random) => `ISBN 978-${random.digits(1)}-${random.digits(2)}-${random.digits(6)}-${random.digits(1)}`,
  (random) => `Part ${random.shape('@@-####-@#')} fits model ${random.shape('@##-###')}.`,
  (random) => `import { ${random.pick(NOUNS)} } from './${random.pick(NOUNS)}.js'`,
  (random) => `See ${random.pick(NOUNS)}.md, ${random.pick(NOUNS)}.py and main.rs for the details.`,
  (random) => `const x = ${random.pick(NOUNS)}.name ?? item.id`,
  (random) => `npm install @acme/${random.pick(NOUNS)}@${version(random)}`,
  () => '<img src="logo@2x.png" alt="logo">',
  (random) => `@app.route("/${random.pick(NOUNS)}s")`,
  () => 'std::vector<int> v; std::sort(v.begin(), v.end());',
  (random) => `MAC ${hex(random, 12).match(/../g).join(':')}`,
  (random) =>
    `{"width":${random.between(100, 4000)},"height":${random.between(100, 4000)},"ratio":1.${random.digits(6)}}`,
  (random) =>
    `The parcel weighs ${random.between(1, 40)}.${random.digits(3)} kg and costs ${random.between(10, 900)}.99.`,
  (random) => `bytes=${random.digits(9)} rows=${random.digits(8)}`,
  (random) => `Checksum 1${random.letters(32, 'abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789')}`,
  (random) => `token=${random.letters(40, 'abcdefghijklmnopqrstuvwxyz0123456789')}`,
  (random) => `Coordinates of the sprite: ${random.between(1, 900)}, ${random.between(1, 900)}`,
  (random) => `Chapter ${random.between(1, 9)}.${random.between(1, 12)}.${random.between(1, 9)} covers this.`,
  (random) => `Error 0x${hex(random, 8).toUpperCase()} in module kernel.dll`,
  (random) => `Serial ${random.shape('@@#######@@')}`,
  (random) => `SKU ${random.digits(12)}`,
  (random) => random.pick(DECOYS),
  (random) => random.pick(DECOYS),
  (random) => random.pick(DECOYS),
]

export const negative = (random) => random.pick(NEGATIVES)(random)

const version = (random) => `${random.between(0, 20)}.${random.between(0, 30)}.${random.between(0, 90)}`

function uuid(random) {
  const text = hex(random, 32)
  return [text.slice(0, 8), text.slice(8, 12), `4${text.slice(13, 16)}`, `a${text.slice(17, 20)}`, text.slice(20)].join(
    '-',
  )
}
