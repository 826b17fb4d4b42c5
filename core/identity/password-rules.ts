export const SHORTEST_PASSWORD = 12
export const LONGEST_PASSWORD = 256

/** Long enough, and still the first that anybody tries. */
const COMMON = new Set(
  `password1234 password12345 password123456 passwordpassword password2024 password2025 password2026 passw0rd1234
  p@ssw0rd1234 p@ssword1234 adminadmin12 administrator administrator1 admin1234567 administrator123 changeme1234
  changemechangeme letmein12345 letmeinletmein welcome12345 welcome123456 welcomewelcome qwertyuiop12 qwertyuiop123
  qwertyuiop1234 qwerty123456 qwerty1234567 qwertyqwerty 1qaz2wsx3edc 1q2w3e4r5t6y 1q2w3e4r5t6y7u qazwsxedcrfv
  zaq12wsxcde3 asdfghjkl123 asdfghjkl1234 zxcvbnm12345 iloveyou1234 iloveyou12345 iloveyouforever trustno1trustno1
  football1234 baseball1234 superman1234 sunshine1234 princess1234 dragon123456 monkey123456 michael12345
  jennifer1234 computer1234 internet1234 starwars1234 whatever1234 summer202020 gatehouse123 gatehouse1234
  gatehousegatehouse correcthorsebatterystaple thisismypassword mypassword123 mypassword1234 secretsecret
  secret123456 abcdefghijkl abcdefghijklm abcd12345678 abc123456789 a1b2c3d4e5f6 123456789abc 123456789012
  1234567890123 12345678901234 123456789123456789 098765432109 987654321098 q1w2e3r4t5y6`.split(/\s+/),
)

/** Why this may not be a password; null when it may. There are no rules of composition: length is what counts. */
export function problemOfPassword(password: string, email: string): string | null {
  const length = [...password].length
  if (length < SHORTEST_PASSWORD) return `The password must have at least ${SHORTEST_PASSWORD} characters.`
  if (length > LONGEST_PASSWORD) return `The password must have at most ${LONGEST_PASSWORD} characters.`
  const plain = password.normalize('NFKC').toLowerCase()
  if (COMMON.has(plain)) return 'This password is among the first that anybody tries. Choose another one.'
  // One piece of up to four characters, again and again.
  if (/^(.{1,4})\1+.{0,3}$/su.test(plain)) return 'This password repeats itself. Choose another one.'
  const [name = ''] = email.toLowerCase().split('@')
  if (plain === email.toLowerCase() || plain === name || plain === name + name)
    return 'The password must not be your e-mail address.'
  return null
}
