import type { Delivery, LogRow } from '@gatehouse/sdk'

type Value = { readonly stringValue: string } | { readonly intValue: string }
interface Attribute {
  readonly key: string
  readonly value: Value
}

const SEVERITY = {
  info: { severityNumber: 9, severityText: 'INFO' },
  warn: { severityNumber: 13, severityText: 'WARN' },
  error: { severityNumber: 17, severityText: 'ERROR' },
} as const

/** Said elsewhere in the record, or in a shape of their own. */
const NOT_ATTRIBUTES: ReadonlySet<string> = new Set(['created_at', 'level', 'receipts'])

/**
 * The body of an `ExportLogsServiceRequest` in JSON (OTLP 1.x): names in lowerCamelCase, 64-bit integers and times as
 * decimal strings. `now` is when it is sent, milliseconds since the epoch.
 */
export function encode({ rows, service }: Delivery, environment: string | undefined, now: number): string {
  const resource = [
    text('service.name', service.name),
    text('service.version', service.version),
    ...(environment === undefined ? [] : [text('deployment.environment', environment)]),
  ]
  const observedTimeUnixNano = nanoseconds(now)
  return JSON.stringify({
    resourceLogs: [
      {
        resource: { attributes: resource },
        scopeLogs: [
          {
            scope: { name: service.name, version: service.version },
            logRecords: rows.map((row) => logRecord(row, observedTimeUnixNano)),
          },
        ],
      },
    ],
  })
}

function logRecord(row: LogRow, observedTimeUnixNano: string) {
  return {
    timeUnixNano: nanoseconds(Date.parse(row.created_at)),
    observedTimeUnixNano,
    ...SEVERITY[row.level],
    body: { stringValue: row.log_type },
    attributes: attributesOf(row),
  }
}

/** Every column under its own name; what is null is left out. The receipts of the rules are one text of JSON. */
function attributesOf(row: LogRow): Attribute[] {
  const attributes: Attribute[] = []
  for (const [key, value] of Object.entries(row)) {
    if (NOT_ATTRIBUTES.has(key)) continue
    if (typeof value === 'string') attributes.push(text(key, value))
    else if (typeof value === 'number') attributes.push({ key, value: { intValue: String(Math.round(value)) } })
  }
  if (row.receipts.length > 0) attributes.push(text('receipts', JSON.stringify(row.receipts)))
  return attributes
}

const text = (key: string, value: string): Attribute => ({ key, value: { stringValue: value } })
const nanoseconds = (at: number): string => `${Math.round(at)}000000`
