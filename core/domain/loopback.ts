/** How this machine is named in a URL that leads a browser or a program back to it (RFC 8252, section 7.3). */
export const LOOPBACK_NAMES: readonly string[] = ['localhost', '127.0.0.1', '[::1]']

/** Whether the host of a URL is one of these names. */
export const isLoopbackName = (hostname: string): boolean => LOOPBACK_NAMES.includes(hostname)

/** Whether a host is this machine by any address of it (RFC 1122, section 3.2.1.3; RFC 4291, section 2.5.3). */
export const isLoopback = (host: string): boolean =>
  isLoopbackName(host) || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
