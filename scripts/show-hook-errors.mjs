import { test } from 'uvu'

// uvu swallows what a hook throws: the tests after it are silently not run. The count shows that (see runner.mjs);
// this makes the error visible too. Loaded before each test file.
for (const [holder, name] of [
  [test, 'before'],
  [test, 'after'],
]) {
  const original = holder[name]
  holder[name] = Object.assign(shown(original), { each: shown(original.each) })
}

function shown(register) {
  return (hook) =>
    register(async (context) => {
      try {
        await hook(context)
      } catch (error) {
        console.error('A hook threw:', error)
        throw error
      }
    })
}
