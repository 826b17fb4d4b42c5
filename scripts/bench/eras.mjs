import { startScript } from './fronts.mjs'
import { startGatehouse } from './gatehouse.mjs'

/**
 * Where the four pairs of client and server era are measured: one Gatehouse with a server of each era, and for the straight
 * pairs the server itself and a byte pass-through of its own, which can do no others.
 */
export async function openEras({ options, upstream, place, load, closing }) {
  const servers = { legacy: upstream, modern: { ...upstream, path: '/modern' } }
  const pairs = Object.keys(servers).flatMap((client) => Object.keys(servers).map((server) => ({ client, server })))
  const seat = async ({ client, server }, front, of) => {
    const { port, path, headers } = of
    const target = `${front}, ${client} to ${server}`
    const { tools } = await load.ask('open', { name: target, port, path, headers, client })
    const tool = of.toolOf?.[server] ?? 'echo'
    if (!tools.includes(tool)) throw new Error(`${target}: no '${tool}' in the list: ${tools.join(', ')}`)
    return { front, client, server, target, tool, of }
  }
  const seats = []
  for (const [era, server] of Object.entries(servers)) {
    const straight = { client: era, server: era }
    const direct = { ...server, headers: {}, pid: null, answered: 0 }
    const through = { ...(await startScript('pass-through', server)), answered: 0 }
    closing.push(through.stop)
    seats.push(await seat(straight, 'direct', direct), await seat(straight, 'pass-through', through))
  }
  if (!options.fronts.includes('gatehouse')) return { seats, fronts: [] }
  const started = await startGatehouse({ name: 'eras', upstreams: Object.values(servers), rules: [], ...place })
  closing.push(started.stop)
  // The first that has a name keeps it, the other one's is prefixed.
  const toolOf = { legacy: 'echo', modern: 'echo-2__echo' }
  const gatehouse = { ...started, name: 'gatehouse-eras', toolOf, answered: 0 }
  for (const pair of pairs) seats.push(await seat(pair, 'gatehouse', gatehouse))
  return { seats, fronts: [gatehouse] }
}
