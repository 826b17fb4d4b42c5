mod gatehouse;
mod judge;
mod lexer;
mod words;

use gatehouse::{config, serve, Answer, Json};
use judge::{judge, UNKNOWN};
use lexer::Dialect;

/// Longer SQL is not looked through, and so not known to only read.
const LONGEST: usize = 32_768;

#[no_mangle]
pub extern "C" fn evaluate() -> i32 {
    serve(look)
}

/// Blocks SQL that does not only read, in the arguments that the configuration names.
fn look(input: Json) -> Answer {
    let mut answer = Answer::new();
    let (Some(names), Some(dialect), Some(allow)) = (config("arguments"), config("dialect"), config("allow")) else {
        return answer.undecided("The configuration could not be read.");
    };
    let names: Vec<&str> = names.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    let is_named = |key: &str| names.iter().any(|name| *name == "*" || name.eq_ignore_ascii_case(key));
    let allow = allow.to_lowercase();
    let allowed: Vec<&str> = allow.split([',', ' ']).filter(|word| !word.is_empty()).collect();
    let sql = Sql { dialects: dialects_of(&dialect), allowed: &allowed };
    let arguments = input.get("message").get("arguments");
    let mut named = arguments.members().filter(|(key, _)| is_named(key));
    let Some(found) = named.find_map(|(_, value)| sql.look_in(value)) else {
        return answer.pass();
    };
    answer.find_somewhere("SQL_WRITE");
    if found == UNKNOWN {
        return answer
            .block("This is no SQL that is known to only read. Only statements such as SELECT are allowed here.");
    }
    let verb = found.to_uppercase();
    answer.block(&format!("This SQL does more than read ({verb}). Only statements that read are allowed here."))
}

fn dialects_of(name: &str) -> &'static [Dialect] {
    match name {
        "postgresql" => &[Dialect::Postgres],
        "mysql" => &[Dialect::Mysql],
        "other" => &[Dialect::Other],
        _ => &[Dialect::Postgres, Dialect::Mysql, Dialect::Other],
    }
}

/// How the configuration says that texts are read.
struct Sql<'a> {
    dialects: &'static [Dialect],
    allowed: &'a [&'a str],
}

impl Sql<'_> {
    /// All strings in an argument, however deep.
    fn look_in(&self, value: Json) -> Option<String> {
        if let Some(text) = value.text() {
            return self.look_at(&text);
        }
        let mut items = value.items();
        items.find_map(|item| self.look_in(item)).or_else(|| value.members().find_map(|(_, item)| self.look_in(item)))
    }

    /// What any of the databases would take for a write is one.
    fn look_at(&self, text: &str) -> Option<String> {
        if text.len() > LONGEST {
            return Some(UNKNOWN.to_owned());
        }
        self.dialects.iter().find_map(|dialect| judge(text, *dialect, self.allowed))
    }
}
