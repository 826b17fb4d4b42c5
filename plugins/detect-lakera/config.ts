import { z } from 'zod'

/** Hosts of the service (Lakera, "Regional endpoints"); `global` answers from wherever is near. */
const HOSTS = {
  global: 'api.lakera.ai',
  'us-east-1': 'us-east-1.api.lakera.ai',
  'us-west-2': 'us-west-2.api.lakera.ai',
  'eu-west-1': 'eu-west-1.api.lakera.ai',
  'ap-southeast-1': 'ap-southeast-1.api.lakera.ai',
} as const

/** One project of Lakera Guard, as it is registered. */
export const Instance = z
  .strictObject({
    apiKey: z.string().min(1).max(1_024),
    /** Whose policy decides; without it the default policy of the account. */
    project: z.string().min(1).max(256).optional(),
    region: z.enum(Object.keys(HOSTS) as [keyof typeof HOSTS, ...(keyof typeof HOSTS)[]]).optional(),
    /** In place of a region: a deployment of one's own. */
    url: z
      .url({ protocol: /^https?$/ })
      .max(2_048)
      .optional(),
  })
  .refine(({ region, url }) => region === undefined || url === undefined, {
    message: 'say `region` or `url`, not both',
    path: ['url'],
  })
export type Instance = z.infer<typeof Instance>

export const urlOf = ({ region = 'global', url }: Instance): string =>
  `${url?.replace(/\/+$/, '') ?? `https://${HOSTS[region]}`}/v2/guard`
