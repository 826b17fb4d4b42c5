import type { StandingAlert } from '../../domain/alerts.js'
import { absent } from '../../configuration/work.js'
import type { ApiOptions } from './operation.js'

export async function mustBeFound({ alerts }: ApiOptions, id: string): Promise<StandingAlert> {
  const found = await alerts.find(id)
  if (found === null) throw absent('alert', id)
  return found
}

/** Thin: what a list needs. */
export function showAlertRow(alert: StandingAlert) {
  const { gatewayId, gateway, serverId, server, ruleId, rule, userId, user } = alert
  return {
    ...alert,
    gateway: gatewayId === null ? null : { id: gatewayId, slug: gateway },
    server: serverId === null ? null : { id: serverId, slug: server },
    rule: ruleId === null ? null : { id: ruleId, name: rule },
    user: userId === null ? null : { id: userId, email: user },
  }
}

export async function showAlert(options: ApiOptions, alert: StandingAlert) {
  return {
    ...showAlertRow(alert),
    links: linksOf(options.url(), alert),
    history: await options.alerts.history(alert.id),
  }
}

/** Where to look on; what is not there is not linked. */
function linksOf(url: string, alert: StandingAlert): Readonly<Record<string, string>> {
  const { id, gatewayId, gateway, serverId, server, ruleId, rule, connectionId, userId, user, correlationId } = alert
  const api = `${url}/api/v1`
  const links = {
    console: `${url}/console/alerts/${id}`,
    gateway: gateway && `${api}/gateways/${gatewayId}`,
    server: server && `${api}/servers/${serverId}`,
    rule: rule && `${api}/gateways/${gatewayId}/rules/${ruleId}`,
    connection: connectionId && `${api}/connections/${connectionId}`,
    user: user && `${api}/users/${userId}`,
    logs: correlationId && `${api}/logs?correlationId=${correlationId}`,
    call: correlationId && `${url}/console/calls/${correlationId}`,
  }
  return Object.fromEntries(Object.entries(links).flatMap(([name, link]) => (link ? [[name, link]] : [])))
}
