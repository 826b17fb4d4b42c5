/** Listens on a free port of the loopback address, tells the parent which, and ends with it. */
export function listen(server) {
  server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
  process.once('disconnect', () => process.exit(0))
}
