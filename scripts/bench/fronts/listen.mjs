/** Listens on the loopback address, on a free port unless one is given, tells the parent which, and ends with it. */
export function listen(server, port = 0) {
  server.listen(port, '127.0.0.1', () => process.send({ port: server.address().port }))
  process.once('disconnect', () => process.exit(0))
}
