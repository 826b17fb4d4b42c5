//! Words in small letters.

/// What a statement that only reads may begin with.
pub const READERS: &[&str] = &[
    "select", "with", "values", "table", "from", "show", "describe", "desc", "explain", "begin", "start", "commit", "end",
    "rollback", "abort", "savepoint", "release", "use",
];
/// What else begins statements, so that they can be called by their names.
pub const KNOWN: &[&str] = &[
    "insert", "update", "delete", "merge", "replace", "truncate", "create", "drop", "alter", "rename", "comment", "grant",
    "revoke", "deny", "call", "do", "exec", "execute", "prepare", "deallocate", "copy", "load", "set", "reset", "lock", "unlock",
    "vacuum", "analyze", "reindex", "cluster", "refresh", "attach", "detach", "listen", "notify", "unlisten", "import", "export",
    "backup", "restore", "kill", "shutdown", "declare", "fetch", "move", "close", "checkpoint", "discard", "flush", "optimize",
    "repair", "upsert", "handler", "install", "uninstall", "purge", "change", "bulk", "dbcc", "waitfor", "if", "while",
];
/// What may follow `begin`, so that it opens a transaction and not a block of statements.
pub const AFTER_BEGIN: &[&str] =
    &["transaction", "tran", "work", "deferred", "immediate", "exclusive", "isolation", "read", "not"];
/// What SQLite tells by `pragma name` or `pragma name(of)`.
pub const PRAGMAS: &[&str] = &[
    "table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo", "foreign_key_list",
    "foreign_key_check", "database_list", "collation_list", "function_list", "module_list", "pragma_list", "compile_options",
    "page_count", "page_size", "freelist_count", "integrity_check", "quick_check", "encoding",
];
/// Verbs that write, before the name of what they write to.
pub const WRITERS: &[&str] = &["insert", "update", "delete", "merge"];
/// What may follow a column that is named like a verb.
pub const AFTER_COLUMN: &[&str] = &[
    "from", "where", "as", "order", "group", "limit", "union", "on", "join", "left", "right", "inner", "cross", "and", "or",
    "asc", "desc", "is", "in", "not", "then", "else", "end", "when", "having", "offset", "fetch", "for", "like", "between",
];
/// `replace` is a function too, and `truncate`: only with these do they write.
pub const AFTER_REPLACE: &[&str] = &["into", "delayed", "low_priority"];
/// What follows `for` where rows are locked.
pub const LOCKS: &[&str] = &["update", "share", "no", "key"];
/// Verbs that define, whatever follows them, and those that do so only with a certain word.
pub const DEFINERS: &[&str] = &["create", "drop", "alter"];
pub const DEFINING: &[&str] = &["truncate table", "rename table", "rename to", "comment on"];
/// Statements that SQL Server runs without a semicolon before them: with any word behind them, with these alone, with nothing.
pub const SERVER_VERBS: &[&str] = &["grant", "revoke", "deny", "dbcc", "waitfor", "writetext", "updatetext", "exec", "execute"];
pub const SERVER_PAIRS: &[&str] = &[
    "backup database", "backup log", "backup certificate", "backup master", "backup service", "backup symmetric",
    "restore database", "restore log", "restore master", "restore service", "restore symmetric", "kill query", "kill stats",
    "shutdown with", "reconfigure with", "next value",
];
pub const SERVER_LAST: &[&str] = &["shutdown", "reconfigure"];
/// What SQLite takes between `update or` and the name.
pub const CONFLICTS: &[&str] = &["replace", "rollback", "abort", "fail", "ignore"];
/// All words that mean something together with the one behind them: most words are none.
pub const VERBS: &[&str] = &[
    "insert", "update", "delete", "merge", "replace", "begin", "into", "for", "or", "create", "drop", "alter", "truncate",
    "rename", "comment", "grant", "revoke", "deny", "dbcc", "waitfor", "writetext", "updatetext", "exec", "execute", "backup",
    "restore", "kill", "shutdown", "reconfigure", "next",
];
/// Functions that change something, read files, run the SQL in a text, or reach out of the database.
const EFFECTS: &[&str] = &[
    "pg_stat_file", "pg_write_file", "pg_terminate_backend", "pg_cancel_backend", "pg_reload_conf", "pg_rotate_logfile",
    "pg_promote", "pg_switch_wal", "pg_notify", "pg_import_system_collations", "pg_drop_replication_slot",
    "pg_log_backend_memory_contexts", "lo_import", "lo_export", "lo_create", "lo_creat", "lo_unlink", "lo_put", "lo_from_bytea",
    "lo_open", "lo_truncate", "lo_truncate64", "lowrite", "nextval", "setval", "set_config", "ts_stat", "ts_rewrite", "crosstab",
    "crosstab2", "crosstab3", "crosstab4", "crosstabn", "connectby", "xpath_table", "http", "http_get", "http_post", "http_put",
    "http_patch", "http_delete", "http_head", "load_file", "sleep", "benchmark", "get_lock", "release_lock",
    "release_all_locks", "sys_exec", "sys_eval", "load_extension", "writefile", "readfile", "edit", "fts3_tokenizer",
    "openrowset", "openquery", "opendatasource", "sp_executesql", "xp_cmdshell",
];
/// What the names of such functions begin with.
const EFFECTS_BEGIN: &[&str] = &[
    "pg_read_", "pg_ls_", "pg_file_", "pg_sleep", "pg_advisory_", "pg_try_advisory_", "pg_logical_", "pg_replication_",
    "pg_create_", "pg_wal_replay_", "pg_backup_", "pg_stat_reset", "pg_stat_statements_reset", "dblink", "query_to_xml",
    "table_to_xml", "schema_to_xml", "database_to_xml", "cursor_to_xml",
];

pub fn has(list: &[&str], word: &str) -> bool {
    list.contains(&word)
}

pub fn has_pair(list: &[&str], word: &str, next: &str) -> bool {
    list.iter().any(|pair| pair.strip_prefix(word).and_then(|rest| rest.strip_prefix(' ')) == Some(next))
}

pub fn has_effect(name: &str) -> bool {
    has(EFFECTS, name) || EFFECTS_BEGIN.iter().any(|beginning| name.starts_with(beginning))
}
