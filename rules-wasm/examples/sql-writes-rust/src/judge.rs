//! What SQL does beyond reading.

use crate::lexer::{Dialect, Lexer, Token};
use crate::words::*;

/// What is found where a statement is not known to only read.
pub const UNKNOWN: &str = "unknown";

/// A verb or a function, in small letters, or `unknown`. None: it only reads, or there is no SQL. What is in `allowed` may pass.
pub fn judge(text: &str, dialect: Dialect, allowed: &[&str]) -> Option<String> {
    let mut judge = Judge::new(allowed);
    for token in Lexer::new(text, dialect) {
        match judge.step(token) {
            Some(found) if !has(allowed, &found) => return Some(found),
            _ => {}
        }
    }
    // A statement may end in most verbs: then it is a name, or broken.
    judge.last()
}

#[derive(PartialEq)]
enum Pragma {
    No,
    /// Its name comes next.
    Named,
    Reads,
    Sets,
}

struct Judge<'a> {
    allowed: &'a [&'a str],
    at_start: bool,
    before: Token,
    before_that: String,
    /// Whether a word before is a name for sure: behind a point, or behind `as`.
    is_name: bool,
    pragma: Pragma,
}

impl<'a> Judge<'a> {
    fn new(allowed: &'a [&'a str]) -> Self {
        let before_that = String::new();
        Judge { allowed, at_start: true, before: Token::Text, before_that, is_name: false, pragma: Pragma::No }
    }

    fn step(&mut self, token: Token) -> Option<String> {
        let found = if token.is(b';') {
            self.at_start = true;
            self.last()
        } else if self.at_start {
            self.begin(&token)
        } else {
            self.pair(&token)
        };
        self.is_name = self.before.is(b'.') || matches!(&self.before, Token::Word(word) if word == "as");
        let before = std::mem::replace(&mut self.before, token);
        self.before_that = before.into_word();
        found
    }

    /// The first token of a statement: only some words begin one that reads.
    fn begin(&mut self, token: &Token) -> Option<String> {
        if token.is(b'(') {
            return None;
        }
        self.at_start = false;
        self.pragma = Pragma::No;
        let Token::Word(word) = token else { return Some(UNKNOWN.to_owned()) };
        if word == "pragma" {
            self.pragma = Pragma::Named;
            return None;
        }
        if has(READERS, word) || has(self.allowed, word) {
            return None;
        }
        Some(if has(KNOWN, word) { word.clone() } else { UNKNOWN.to_owned() })
    }

    /// Two tokens that stand next to each other, within a statement.
    fn pair(&mut self, token: &Token) -> Option<String> {
        if self.pragma != Pragma::No {
            return self.pragma_part(token);
        }
        let word = token.word();
        if token.is(b'(') && !(self.is_name && self.before.word() == "insert") {
            return self.function();
        }
        // A name of PostgreSQL whose letters are spelt by another escape than the backslash.
        if word == "uescape" {
            return Some(UNKNOWN.to_owned());
        }
        let Token::Word(before) = &self.before else { return None };
        let before = before.as_str();
        if !has(VERBS, before) {
            return None;
        }
        // A variable, or a temporary table, of SQL Server.
        if (token.is(b'@') || token.is(b'#')) && !self.is_name && (is_execute(before) || has(WRITERS, before)) {
            return Some(before.to_owned());
        }
        let is_word = matches!(token, Token::Word(_));
        if before == "begin" && is_word && !has(AFTER_BEGIN, word) {
            return self.begin(token);
        }
        if before == "into" {
            return (!token.is(b'@') && !self.is_name).then(|| before.to_owned());
        }
        if before == "for" && is_word && has(LOCKS, word) {
            return Some(format!("for {word}"));
        }
        if self.is_name || !(is_word || matches!(token, Token::Quoted(_))) {
            return None;
        }
        self.writes(before, word, is_word).then(|| if before == "or" { self.before_that.clone() } else { before.to_owned() })
    }

    /// Whether a verb writes with this word, or name in quotes, behind it.
    fn writes(&self, verb: &str, word: &str, is_word: bool) -> bool {
        match verb {
            _ if has(WRITERS, verb) => !is_word || (verb == "delete" && word == "from") || !has(AFTER_COLUMN, word),
            "replace" => has(AFTER_REPLACE, word),
            "create" if self.before_that == "show" => false,
            _ if has(DEFINERS, verb) || has(SERVER_VERBS, verb) => !has(AFTER_COLUMN, word),
            "or" => has(CONFLICTS, word) && has(WRITERS, &self.before_that),
            "kill" if word.starts_with(|letter: char| letter.is_ascii_digit()) => true,
            _ => has_pair(DEFINING, verb, word) || has_pair(SERVER_PAIRS, verb, word),
        }
    }

    /// What stands before a bracket. A backslash in the name of a function is there to hide it.
    fn function(&self) -> Option<String> {
        let name = self.before.word();
        if matches!(self.before, Token::Quoted(_)) && name.contains('\\') {
            return Some(UNKNOWN.to_owned());
        }
        let is_run = matches!(self.before, Token::Word(_)) && !self.is_name && is_execute(name);
        (is_run || has_effect(name)).then(|| name.to_owned())
    }

    /// `pragma [schema.]name` or `pragma name(of)`: never with a value.
    fn pragma_part(&mut self, token: &Token) -> Option<String> {
        let sets = || Some("pragma".to_owned());
        if token.is(b'=') {
            return sets();
        }
        if self.pragma == Pragma::Named && !token.word().is_empty() {
            self.pragma = if has(PRAGMAS, token.word()) { Pragma::Reads } else { Pragma::Sets };
            return None;
        }
        if token.is(b'.') {
            self.pragma = Pragma::Named;
            return None;
        }
        if self.pragma == Pragma::Sets { sets() } else { None }
    }

    /// The verb in which the statement ends, if it needs nothing behind it.
    fn last(&self) -> Option<String> {
        match &self.before {
            Token::Word(word) if !self.is_name && has(SERVER_LAST, word) => Some(word.clone()),
            _ => None,
        }
    }
}

fn is_execute(word: &str) -> bool {
    word == "exec" || word == "execute"
}
