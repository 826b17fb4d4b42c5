/** Phone numbers as they are written in several countries: national where a reader would know the country, else with +. */
const PHONES = [
  ['(###) 555-01##', 'us'],
  ['###-555-01##', 'us'],
  ['###.555.01##', 'us'],
  ['### 555 01##', 'us'],
  ['+1 ### 555 01##', 'us'],
  ['+1-###-555-01##', 'us'],
  ['+1 (###) 555-01##', 'us'],
  ['1-###-555-01##', 'us'],
  ['(###) 555-01## ext. ##', 'us'],
  ['###55501##', 'us'],
  ['020 7946 0###', 'plain'],
  ['(020) 7946 0###', 'plain'],
  ['01632 960###', 'plain'],
  ['07700 900###', 'plain'],
  ['+44 20 7946 0###', 'plain'],
  ['+44 7700 900###', 'plain'],
  ['+44 (0)20 7946 0###', 'plain'],
  ['030 23125 ###', 'plain'],
  ['+49 30 23125 ###', 'plain'],
  ['+49 151 2345 ####', 'plain'],
  ['0151 2345 ####', 'plain'],
  ['+33 1 99 00 ## ##', 'plain'],
  ['+33 6 39 98 ## ##', 'plain'],
  ['+34 612 34# ###', 'plain'],
  ['+39 06 698 #####', 'plain'],
  ['+31 20 620 ####', 'plain'],
  ['+46 8 463 ## ##', 'plain'],
  ['+48 22 625 ## ##', 'plain'],
  ['+61 2 5550 ####', 'plain'],
  ['+61 491 570 ###', 'plain'],
  ['+91 98765 4####', 'plain'],
  ['+972 50-234-####', 'plain'],
  ['+55 11 98765-####', 'plain'],
  ['+81 3-5555-####', 'plain'],
  ['+86 138 1234 ####', 'plain'],
  ['+52 55 5128 ####', 'plain'],
  ['+353 1 234 ####', 'plain'],
  ['+41 44 668 ## ##', 'plain'],
]
const AREAS = ['212', '310', '415', '617', '702', '303', '404', '512', '206', '305', '773', '503', '214', '602', '919']

export function phone(random) {
  const [shape, country] = random.pick(PHONES)
  const area = random.pick(AREAS)
  return random.shape(country === 'us' ? shape.replace('###', area) : shape)
}

/** Shapes of driving licences of states: California, Florida, New York, Texas, Illinois, Pennsylvania, Virginia, Colorado. */
const LICENSES = [
  '@#######',
  '@############',
  '#########',
  '########',
  '@###########',
  '########',
  '@########',
  '##-###-####',
]

export const accountNumbers = { license: (random) => random.shape(random.pick(LICENSES)) }
