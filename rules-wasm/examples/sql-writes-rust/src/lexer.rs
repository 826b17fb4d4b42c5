//! Tokens of SQL, as far as strings, names and comments decide what is run.

/// How a database reads SQL.
#[derive(Clone, Copy, PartialEq)]
pub enum Dialect {
    /// Comments nest, `$tag$ … $tag$` is a string, and only `E'…'` has backslashes.
    Postgres,
    /// Strings have backslashes, `#` begins a comment, `--` only before white space, and what stands in `/*! … */` is run.
    Mysql,
    /// SQLite and SQL Server: `[name]` is a name.
    Other,
}

#[derive(PartialEq)]
pub enum Token {
    /// In small letters.
    Word(String),
    /// A name in quotes, in small letters.
    Quoted(String),
    Text,
    /// A digit of a number that begins with one is part of a word.
    Sign(u8),
}

impl Token {
    /// Of a word, or of a name in quotes; otherwise empty.
    pub fn word(&self) -> &str {
        match self {
            Token::Word(word) | Token::Quoted(word) => word,
            _ => "",
        }
    }

    pub fn into_word(self) -> String {
        match self {
            Token::Word(word) | Token::Quoted(word) => word,
            _ => String::new(),
        }
    }

    pub fn is(&self, sign: u8) -> bool {
        *self == Token::Sign(sign)
    }
}

pub struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
    dialect: Dialect,
    /// Within a comment that is run.
    in_live: bool,
}

impl<'a> Lexer<'a> {
    pub fn new(text: &'a str, dialect: Dialect) -> Self {
        Lexer { bytes: text.as_bytes(), at: 0, dialect, in_live: false }
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn skip_blank(&mut self) {
        while self.at < self.bytes.len() {
            match (self.peek(0), self.peek(1)) {
                (0..=0x20, _) => self.at += 1,
                (0x80.., _) if self.wide_space() > 0 => self.at += self.wide_space(),
                (b'#', _) if self.dialect == Dialect::Mysql => self.skip_line(),
                (b'-', b'-') if self.dialect != Dialect::Mysql || self.peek(2) <= 0x20 => self.skip_line(),
                (b'/', b'*') => self.skip_comment(),
                (b'*', b'/') if self.in_live => {
                    self.in_live = false;
                    self.at += 2;
                }
                _ => return,
            }
        }
    }

    /// The bytes of a space outside of ASCII, which is white space to some databases; 0: here is none.
    fn wide_space(&self) -> usize {
        match (self.peek(0), self.peek(1), self.peek(2)) {
            (0xc2, 0x85 | 0xa0, _) => 2,
            (0xe1, 0x9a, 0x80) | (0xe2, 0x81, 0x9f) | (0xe3, 0x80, 0x80) | (0xef, 0xbb, 0xbf) => 3,
            (0xe2, 0x80, 0x80..=0x8b | 0xa8 | 0xa9 | 0xaf) => 3,
            _ => 0,
        }
    }

    fn skip_line(&mut self) {
        while self.at < self.bytes.len() && self.peek(0) != b'\n' {
            self.at += 1;
        }
    }

    fn skip_comment(&mut self) {
        self.at += 2;
        if self.dialect == Dialect::Mysql && (self.peek(0) == b'!' || (self.peek(0) == b'M' && self.peek(1) == b'!')) {
            self.in_live = true;
            self.at += if self.peek(0) == b'!' { 1 } else { 2 };
            while self.peek(0).is_ascii_digit() {
                self.at += 1;
            }
            return;
        }
        let mut depth = 1;
        while self.at < self.bytes.len() && depth > 0 {
            let (step, change) = match (self.peek(0), self.peek(1)) {
                (b'*', b'/') => (2, -1),
                (b'/', b'*') if self.dialect == Dialect::Postgres => (2, 1),
                _ => (1, 0),
            };
            self.at += step;
            depth += change;
        }
    }

    /// What stands between this quote and the next that is not doubled or, with backslashes, escaped.
    fn quoted(&mut self, quote: u8, backslash: bool) -> String {
        let start = self.at + 1;
        self.at = start;
        while self.at < self.bytes.len() {
            match self.peek(0) {
                b'\\' if backslash => self.at += 1,
                byte if byte == quote && self.peek(1) == quote => self.at += 1,
                byte if byte == quote => break,
                _ => {}
            }
            self.at += 1;
        }
        let end = self.at.min(self.bytes.len());
        self.at = (end + 1).min(self.bytes.len());
        lowered(&self.bytes[start.min(end)..end])
    }

    /// `$tag$ … $tag$`; false, and nothing is read: it is none.
    fn dollar(&mut self) -> bool {
        let mut end = self.at + 1;
        while self.bytes.get(end).is_some_and(|byte| is_word(*byte)) {
            end += 1;
        }
        if self.bytes.get(end) != Some(&b'$') || self.peek(1).is_ascii_digit() {
            return false;
        }
        let tag = &self.bytes[self.at..=end];
        let close = self.bytes[end + 1..].windows(tag.len()).position(|window| window == tag);
        self.at = close.map_or(self.bytes.len(), |place| end + 1 + place + tag.len());
        true
    }

    fn word(&mut self) -> Token {
        let start = self.at;
        while is_word(self.peek(0)) || self.peek(0) == b'$' {
            if self.peek(0) > 0x7f && self.wide_space() > 0 {
                break;
            }
            self.at += 1;
        }
        let word = lowered(&self.bytes[start..self.at]);
        if word == "e" && self.dialect == Dialect::Postgres && self.peek(0) == b'\'' {
            self.quoted(b'\'', true);
            return Token::Text;
        }
        Token::Word(word)
    }
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        self.skip_blank();
        let byte = *self.bytes.get(self.at)?;
        let is_mysql = self.dialect == Dialect::Mysql;
        Some(match byte {
            _ if is_word(byte) => self.word(),
            b'\'' => {
                self.quoted(byte, is_mysql);
                Token::Text
            }
            b'"' => Token::Quoted(self.quoted(byte, is_mysql)),
            b'`' => Token::Quoted(self.quoted(byte, false)),
            b'[' if self.dialect == Dialect::Other => Token::Quoted(self.quoted(b']', false)),
            b'$' if self.dialect == Dialect::Postgres && self.dollar() => Token::Text,
            _ => {
                self.at += 1;
                Token::Sign(byte)
            }
        })
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte > 0x7f
}

/// Most words are of ASCII: for those this costs a fraction of what Unicode does.
fn lowered(bytes: &[u8]) -> String {
    if bytes.is_ascii() {
        return String::from_utf8(bytes.to_ascii_lowercase()).unwrap_or_default();
    }
    String::from_utf8_lossy(bytes).to_lowercase()
}
