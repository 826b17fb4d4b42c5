import type { JsonObject } from '@gatehouse/sdk'
import type { EntityManager } from 'typeorm'
import type { ArtifactVersion, StoredArtifact } from '../../domain/artifacts.js'
import type { ArtifactRepository, VersionDraft } from '../../domain/store.js'
import type { ArtifactEntity } from '../entities/artifact.js'
import { ARTIFACT } from './kinds.js'
import { isId, moment, notFound, rowRepository } from './rows.js'

const COLUMNS = `artifact_id as "artifactId", version, sha256, manifest_sha256 as "manifestSha256", size, key_id, signature, uploaded_by as "uploadedBy",
  ${moment('at')} as at`

interface Row extends Omit<ArtifactVersion, 'signature'> {
  readonly key_id: string | null
  readonly signature: string | null
}

export function artifactRepository(manager: EntityManager): ArtifactRepository {
  const query = async <T>(sql: string, parameters: readonly unknown[]): Promise<T[]> =>
    manager.query(sql, [...parameters])
  const one = async <T>(columns: string, artifactId: string, version: number): Promise<T> => {
    const sql = `select ${columns} from artifact_versions where artifact_id = $1 and version = $2`
    const [row] = isId(artifactId) ? await query<T>(sql, [artifactId, version]) : []
    if (row === undefined) throw notFound('version of this artifact')
    return row
  }
  return {
    ...rowRepository<StoredArtifact, ArtifactEntity>(manager, ARTIFACT),
    versions: async (artifactId) => {
      const where = artifactId === undefined ? '' : 'where artifact_id = $1'
      const sql = `select ${COLUMNS} from artifact_versions ${where} order by artifact_id, version`
      return (await query<Row>(sql, artifactId === undefined ? [] : [artifactId])).map(asVersion)
    },
    content: (artifactId, version) =>
      one<{ manifest: string; facts: JsonObject }>('manifest, facts', artifactId, version),
    bytes: async (artifactId, version) => (await one<{ bytes: Buffer }>('bytes', artifactId, version)).bytes,
    same: async (artifactId, { sha256, manifestSha256 }) => {
      const sql = `select ${COLUMNS} from artifact_versions where artifact_id = $1 and sha256 = $2 and manifest_sha256 = $3`
      const [row] = await query<Row>(sql, [artifactId, sha256, manifestSha256])
      return row === undefined ? null : asVersion(row)
    },
    addVersion: (draft) => insertVersion(manager, draft),
    sign: async (artifactId, version, { keyId, signature }) => {
      const sql = 'update artifact_versions set key_id = $3, signature = $4 where artifact_id = $1 and version = $2'
      await query(sql, [artifactId, version, keyId, signature])
    },
    removeVersion: async (artifactId, version) => {
      await query('delete from artifact_versions where artifact_id = $1 and version = $2', [artifactId, version])
    },
  }
}

async function insertVersion(manager: EntityManager, draft: VersionDraft): Promise<ArtifactVersion> {
  const { artifactId, version, sha256, manifestSha256, size, bytes, manifest, signature, facts, uploadedBy } = draft
  const rows: Row[] = await manager.query(
    `with added as (
       insert into artifact_versions
         (artifact_id, version, sha256, size, bytes, manifest, manifest_sha256, key_id, signature, facts, uploaded_by)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning *)
     select ${COLUMNS} from added`,
    [
      artifactId,
      version,
      sha256,
      size,
      // The driver knows bytes by this class alone.
      Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
      manifest,
      manifestSha256,
      signature?.keyId ?? null,
      signature?.signature ?? null,
      JSON.stringify(facts),
      uploadedBy,
    ],
  )
  return asVersion(rows[0] as Row)
}

const asVersion = ({ key_id: keyId, signature, ...rest }: Row): ArtifactVersion => ({
  ...rest,
  signature: keyId === null || signature === null ? null : { keyId, signature },
})
