mod gatehouse;
mod lexer;

use gatehouse::{config, serve, Answer, Json};
use lexer::{Dialect, Lexer, Token};

/// Longer SQL is not looked through, and so not known to only read.
const LONGEST: usize = 32_768;
const READERS: &[&str] = &["select", "with", "values", "table", "show", "describe", "desc", "explain", "commit", "rollback"];
const WRITERS: &[&str] = &["insert", "update", "delete", "merge"];
/// What may follow a column that is named like a verb.
const AFTER_COLUMN: &[&str] = &[
    "from", "where", "as", "order", "group", "limit", "union", "on", "join", "left", "right", "inner", "cross", "and", "or",
    "asc", "desc", "is", "in", "not", "then", "else", "end", "when", "having", "offset", "fetch", "for", "like", "between",
];
const DEFINED: &[&str] = &[
    "table", "view", "database", "schema", "index", "user", "role", "function", "procedure", "proc", "trigger", "sequence",
    "extension", "materialized", "temp", "temporary", "unique", "or", "column", "type", "event", "policy",
];
/// Functions that change something, read files or reach out of the database.
const EFFECTS: &[&str] = &[
    "pg_read_file", "pg_read_binary_file", "pg_ls_dir", "pg_terminate_backend", "pg_reload_conf", "pg_sleep", "lo_import",
    "lo_export", "nextval", "setval", "set_config", "dblink", "dblink_exec", "query_to_xml", "load_file", "sleep", "benchmark",
    "load_extension", "writefile", "readfile", "openrowset", "openquery", "xp_cmdshell", "sp_executesql",
];

#[no_mangle]
pub extern "C" fn evaluate() -> i32 {
    serve(look)
}

/// Blocks SQL that does not only read, in the arguments that the configuration names.
fn look(input: Json) -> Answer {
    let mut answer = Answer::new();
    let Some(names) = config("arguments") else {
        return answer.undecided("The configuration could not be read.");
    };
    let arguments = input.get("message").get("arguments");
    let named = arguments.members().filter(|(key, _)| names.split(',').any(|name| name.trim().eq_ignore_ascii_case(key)));
    let Some(found) = named.into_iter().find_map(|(_, value)| look_in(value)) else {
        return answer.pass();
    };
    answer.find_somewhere("SQL_WRITE");
    answer.block(&format!("This SQL does more than read ({found}). Only statements that read are allowed here."))
}

/// All strings in an argument, however deep.
fn look_in(value: Json) -> Option<String> {
    if let Some(text) = value.text() {
        return look_at(&text);
    }
    let mut items = value.items();
    items.find_map(look_in).or_else(|| value.members().find_map(|(_, item)| look_in(item)))
}

/// What any of the databases would take for a write is one.
fn look_at(text: &str) -> Option<String> {
    if text.len() > LONGEST {
        return Some("TOO LONG".to_owned());
    }
    [Dialect::Postgres, Dialect::Mysql, Dialect::Other].into_iter().find_map(|dialect| judge(text, dialect))
}

/// What this SQL does beyond reading.
fn judge(text: &str, dialect: Dialect) -> Option<String> {
    let mut before = Token::Sign(b';');
    // A word behind a point or `as` is a name, whatever it says.
    let mut is_name = false;
    let mut is_start = true;
    for token in Lexer::new(text, dialect) {
        if token == Token::Sign(b';') {
            is_start = true;
        } else if is_start {
            is_start = token == Token::Sign(b'(');
            if let (false, Some(found)) = (is_start, begin(&token)) {
                return Some(found);
            }
        } else if let Some(found) = pair(&before, &token, is_name) {
            return Some(found);
        }
        is_name = before == Token::Sign(b'.') || before == Token::Word("as".to_owned());
        before = token;
    }
    None
}

/// The first token of a statement: only some words begin one that reads.
fn begin(token: &Token) -> Option<String> {
    match token {
        Token::Word(word) if READERS.contains(&word.as_str()) => None,
        Token::Word(word) => Some(word.to_uppercase()),
        _ => Some("UNKNOWN".to_owned()),
    }
}

/// Two tokens that stand next to each other, within a statement.
fn pair(before: &Token, token: &Token, is_name: bool) -> Option<String> {
    if let (Token::Word(name) | Token::Quoted(name), Token::Sign(b'(')) = (before, token) {
        return EFFECTS.contains(&name.as_str()).then(|| name.to_uppercase());
    }
    let Token::Word(verb) = before else { return None };
    let verb = verb.as_str();
    if verb == "into" && !is_name {
        return (*token != Token::Sign(b'@')).then(|| "INTO".to_owned());
    }
    let (word, is_quoted) = match token {
        Token::Word(word) => (word.as_str(), false),
        Token::Quoted(word) => (word.as_str(), true),
        _ => return None,
    };
    let writes = match verb {
        _ if is_name => false,
        "for" => ["update", "share", "no", "key"].contains(&word),
        "replace" => ["into", "delayed", "low_priority"].contains(&word),
        "create" | "drop" | "alter" | "truncate" => DEFINED.contains(&word),
        "exec" | "execute" => !AFTER_COLUMN.contains(&word),
        "delete" if word == "from" => true,
        _ => WRITERS.contains(&verb) && (is_quoted || !AFTER_COLUMN.contains(&word)),
    };
    let shown = if verb == "for" { format!("FOR {}", word.to_uppercase()) } else { verb.to_uppercase() };
    writes.then_some(shown)
}
