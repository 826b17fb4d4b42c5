// Words in small letters.

/** Made when the module is loaded, and not again for every message. */
function setOf(list: string): Set<string> {
  const words = list.split(' ')
  const set = new Set<string>()
  for (let i = 0; i < words.length; i++) if (words[i].length > 0) set.add(words[i])
  return set
}

/** What a statement that only reads may begin with. */
export const READERS = setOf(
  ' select with values table from show describe desc explain begin start commit end rollback abort savepoint release use ',
)

/** What else begins statements, so that they can be called by their names. */
export const KNOWN = setOf(
  ' insert update delete merge replace truncate create drop alter rename comment grant revoke deny call do exec execute prepare deallocate copy load set reset lock unlock vacuum analyze reindex cluster refresh attach detach listen notify unlisten import export backup restore kill shutdown declare fetch move close checkpoint discard flush optimize repair upsert handler install uninstall purge change bulk dbcc waitfor if while ',
)

/** What may follow `begin`, so that it opens a transaction and not a block of statements. */
export const AFTER_BEGIN = setOf(' transaction tran work deferred immediate exclusive isolation read not ')

/** What SQLite tells by `pragma name` or `pragma name(of)`. */
export const PRAGMAS = setOf(
  ' table_info table_xinfo table_list index_list index_info index_xinfo foreign_key_list foreign_key_check database_list collation_list function_list module_list pragma_list compile_options page_count page_size freelist_count integrity_check quick_check encoding ',
)

/** Verbs that write, before the name of what they write to. */
export const WRITERS = setOf(' insert update delete merge ')

/** What may follow a column that is named like a verb. */
export const AFTER_COLUMN = setOf(
  ' from where as order group limit union on join left right inner cross and or asc desc is in not then else end when having offset fetch for like between ',
)

/** `replace` is a function too, and `truncate`: only with these do they write. */
export const AFTER_REPLACE = setOf(' into delayed low_priority ')

/** What follows `for` where rows are locked. */
export const LOCKS = setOf(' update share no key ')

/** Verbs that define, whatever follows them; all but the first three only so: ` truncate table `. */
export const DEFINERS = setOf(' create drop alter ')
export const DEFINING = setOf(' truncate_table rename_table rename_to comment_on ')

/** Statements that SQL Server runs without a semicolon before them: with any word behind them, and with these alone. */
export const SERVER_VERBS = setOf(' grant revoke deny dbcc waitfor writetext updatetext ')
export const SERVER_PAIRS = setOf(
  ' backup_database backup_log backup_certificate backup_master backup_service backup_symmetric restore_database restore_log restore_master restore_service restore_symmetric kill_query kill_stats shutdown_with reconfigure_with next_value ',
)
const PAIRED = setOf(' truncate rename comment backup restore kill shutdown reconfigure next ')
/** These even with nothing behind them. */
export const SERVER_LAST = setOf(' shutdown reconfigure ')

/** What SQLite takes between `update or` and the name. */
export const CONFLICTS = setOf(' replace rollback abort fail ignore ')

/** All words that mean something together with the one behind them: most words are none. */
export const VERBS = setOf(
  'insert update delete merge replace begin into for or create drop alter truncate rename comment grant revoke deny dbcc waitfor writetext updatetext exec execute backup restore kill shutdown reconfigure next',
)

/** Functions that change something, read files, run the SQL in a text, or reach out of the database. */
export const EFFECTS = setOf(
  ' pg_stat_file pg_write_file pg_terminate_backend pg_cancel_backend pg_reload_conf pg_rotate_logfile pg_promote pg_switch_wal pg_notify pg_import_system_collations pg_drop_replication_slot pg_log_backend_memory_contexts lo_import lo_export lo_create lo_creat lo_unlink lo_put lo_from_bytea lo_open lo_truncate lo_truncate64 lowrite nextval setval set_config ts_stat ts_rewrite crosstab crosstab2 crosstab3 crosstab4 crosstabn connectby xpath_table http http_get http_post http_put http_patch http_delete http_head load_file sleep benchmark get_lock release_lock release_all_locks sys_exec sys_eval load_extension writefile readfile edit fts3_tokenizer openrowset openquery opendatasource sp_executesql xp_cmdshell ',
)
/** What the names of such functions begin with. */
export const EFFECTS_BEGIN: string[] = [
  'pg_read_',
  'pg_ls_',
  'pg_file_',
  'pg_sleep',
  'pg_advisory_',
  'pg_try_advisory_',
  'pg_logical_',
  'pg_replication_',
  'pg_create_',
  'pg_wal_replay_',
  'pg_backup_',
  'pg_stat_reset',
  'pg_stat_statements_reset',
  'dblink',
  'query_to_xml',
  'table_to_xml',
  'schema_to_xml',
  'database_to_xml',
  'cursor_to_xml',
]

export function hasEffect(name: string): bool {
  if (has(EFFECTS, name)) return true
  for (let i = 0; i < EFFECTS_BEGIN.length; i++) if (name.startsWith(EFFECTS_BEGIN[i])) return true
  return false
}

export function has(list: Set<string>, word: string): bool {
  return list.has(word)
}

/** Whether two words stand in a list of pairs. Most words begin none. */
export function hasPair(list: Set<string>, word: string, next: string): bool {
  return PAIRED.has(word) && list.has(word + '_' + next)
}
