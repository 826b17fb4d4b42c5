const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]
const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']
const RELATIVE = [
  'yesterday',
  'tomorrow',
  'last week',
  'next Monday',
  'three weeks ago',
  'two days ago',
  'next month',
  'last year',
  'tonight',
]
const two = (number) => String(number).padStart(2, '0')

/** Dates and times, absolute and relative, in the ways of several countries. */
export function dateOrTime(random) {
  const year = random.between(1948, 2026)
  const month = random.between(1, 12)
  const day = random.between(1, 28)
  const name = MONTHS[month - 1]
  const time = `${two(random.below(24))}:${two(random.below(60))}`
  const iso = `${year}-${two(month)}-${two(day)}`
  const forms = [
    iso,
    iso,
    `${iso}T${time}:${two(random.below(60))}Z`,
    `${iso} ${time}:${two(random.below(60))}`,
    `${iso}T${time}:12.${random.digits(3)}+02:00`,
    `${two(day)}/${two(month)}/${year}`,
    `${two(month)}/${two(day)}/${year}`,
    `${month}/${day}/${String(year).slice(2)}`,
    `${two(day)}.${two(month)}.${year}`,
    `${two(day)}-${two(month)}-${year}`,
    `${year}/${two(month)}/${two(day)}`,
    `${name} ${day}, ${year}`,
    `${name} ${day}, ${year}`,
    `${day} ${name} ${year}`,
    `${name.slice(0, 3)} ${day}, ${year}`,
    `${two(day)}-${name.slice(0, 3)}-${year}`,
    `${name} ${year}`,
    `${name} ${day}${day === 1 ? 'st' : day === 2 ? 'nd' : day === 3 ? 'rd' : 'th'}`,
    `${DAYS[random.below(7)]}, ${day} ${name} ${year}`,
    DAYS[random.below(7)],
    `${random.between(1, 12)}:${two(random.below(60))} ${random.pick(['AM', 'PM', 'am', 'pm'])}`,
    `${random.between(1, 12)} p.m.`,
    time,
    random.pick(RELATIVE),
    random.pick(RELATIVE),
  ]
  return random.pick(forms)
}
