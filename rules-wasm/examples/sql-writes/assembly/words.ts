// Words in small letters, each between spaces: so one search tells whether a word is in a list.

/** What a statement that only reads may begin with. */
export const READERS =
  ' select with values table from show describe desc explain begin start commit end rollback abort savepoint release use '

/** What may follow `begin`, so that it opens a transaction and not a block of statements. */
export const AFTER_BEGIN = ' transaction tran work deferred immediate exclusive isolation read not '

/** What SQLite tells by `pragma name` or `pragma name(of)`. */
export const PRAGMAS =
  ' table_info table_xinfo table_list index_list index_info index_xinfo foreign_key_list foreign_key_check database_list collation_list function_list module_list pragma_list compile_options page_count page_size freelist_count integrity_check quick_check encoding '

/** Verbs that write, before the name of what they write to. */
export const WRITERS = ' insert update delete merge '

/** What may follow a column that is named like a verb. */
export const AFTER_COLUMN =
  ' from where as order group limit union on join left right inner cross and or asc desc is in not then else end when having offset fetch for like between '

/** `replace` is a function too, and `truncate`: only with these do they write. */
export const AFTER_REPLACE = ' into delayed low_priority '

export const DEFINERS = ' create drop alter truncate rename comment '
export const DEFINED =
  ' table view database schema index user role function procedure proc trigger sequence extension materialized temp temporary unique or column login type event tablespace server policy rule domain aggregate operator publication subscription foreign external constraint clustered nonclustered virtual global unlogged '

/** Functions that change something, read files or reach out of the database. */
export const EFFECTS =
  ' pg_read_file pg_read_binary_file pg_ls_dir pg_stat_file pg_write_file pg_terminate_backend pg_cancel_backend pg_reload_conf pg_rotate_logfile pg_promote pg_switch_wal pg_create_restore_point pg_file_write pg_file_unlink pg_sleep pg_sleep_for pg_sleep_until pg_advisory_lock pg_advisory_xact_lock pg_notify pg_logical_emit_message pg_drop_replication_slot pg_create_logical_replication_slot pg_create_physical_replication_slot lo_import lo_export lo_create lo_creat lo_unlink lo_put lo_from_bytea lowrite nextval setval set_config dblink dblink_exec dblink_connect dblink_send_query query_to_xml table_to_xml database_to_xml cursor_to_xml load_file sleep benchmark get_lock release_lock sys_exec sys_eval load_extension writefile readfile edit fts3_tokenizer openrowset openquery opendatasource sp_executesql xp_cmdshell '

export function has(list: string, word: string): bool {
  return list.indexOf(' ' + word + ' ') >= 0
}
