/** Closes what was opened, the last first; one that cannot be closed does not keep the others. */
export async function closeAll(closing) {
  for (let close = closing.pop(); close !== undefined; close = closing.pop())
    await close().catch((error) => console.error(error))
}

export const say = (line) => console.error(line)
