//! All that a rule in Rust needs: the message, findings, the answer. No crate besides the standard library.
//!
//! `Json` is a piece of the gateway's JSON that is read only where it is asked for. The reader trusts it to be well-formed, since
//! the gateway itself writes it; whatever is not there is `Json::NONE`.
#![allow(dead_code)]

use std::borrow::Cow;

#[link(wasm_import_module = "extism:host/user")]
extern "C" {
    fn input_read(out: *mut u8, offset: i32, size: i32) -> i32;
    fn output_write(at: *const u8, size: i32);
    // Those below need the capability of their first word in `rule.json`.
    #[link_name = "log"]
    fn host_log(level: i32, at: *const u8, size: i32);
    fn config_read(key: *const u8, key_size: i32, out: *mut u8, cap: i32) -> i32;
}

const INPUT: usize = 262_144;
const CONFIG: usize = 8_192;
const FINDINGS: usize = 1_000;
/// Findings that would make the answer longer than this are left out.
const ANSWER: usize = 60_000;

/// The ABI that this rule is written for.
#[no_mangle]
pub extern "C" fn gatehouse_rule_abi_1() {}

/// Shows the input to a rule and hands over what it answers: the whole of `evaluate`.
pub fn serve(rule: impl FnOnce(Json) -> Answer) -> i32 {
    let mut bytes = vec![0u8; INPUT + 1];
    // SAFETY: the host writes at most as many bytes as there are, and says how many.
    let size = unsafe { input_read(bytes.as_mut_ptr(), 0, bytes.len() as i32) };
    let answer = match usize::try_from(size) {
        Ok(size) if size > 0 && size <= INPUT => rule(Json(&bytes[..size])),
        _ => Answer::new().undecided("The message is larger than any message may be."),
    };
    let text = answer.to_json();
    // SAFETY: the host reads these bytes and no others.
    unsafe { output_write(text.as_ptr(), text.len() as i32) };
    0
}

/// A key of the configuration. Capability `config`.
pub fn config(key: &str) -> Option<String> {
    let mut bytes = vec![0u8; CONFIG];
    // SAFETY: the host writes at most as many bytes as there are, and says how long the text is.
    let size = unsafe { config_read(key.as_ptr(), key.len() as i32, bytes.as_mut_ptr(), CONFIG as i32) };
    bytes.truncate(usize::try_from(size).ok().filter(|size| *size <= CONFIG)?);
    String::from_utf8(bytes).ok()
}

/// A line of the log, at most 1 KiB of it, 16 lines a call. Levels: 0 debug, 1 info, 2 warn, 3 error. Capability `log`.
pub fn log(level: i32, line: &str) {
    // SAFETY: the host reads these bytes and no others.
    unsafe { host_log(level, line.as_ptr(), line.len() as i32) }
}

/// A value of JSON, unread.
#[derive(Clone, Copy)]
pub struct Json<'a>(&'a [u8]);

impl<'a> Json<'a> {
    pub const NONE: Json<'static> = Json(b"");

    pub fn is_text(self) -> bool {
        self.0.first() == Some(&b'"')
    }

    pub fn is_array(self) -> bool {
        self.0.first() == Some(&b'[')
    }

    pub fn is_object(self) -> bool {
        self.0.first() == Some(&b'{')
    }

    /// A member of an object.
    pub fn get(self, name: &str) -> Json<'a> {
        self.members().find(|(key, _)| key == name).map_or(Json::NONE, |(_, value)| value)
    }

    pub fn members(self) -> impl Iterator<Item = (Cow<'a, str>, Json<'a>)> {
        let mut walk = Walk::new(self, b'{');
        std::iter::from_fn(move || {
            let key = walk.next()?;
            Some((key.text()?, walk.next()?))
        })
    }

    pub fn items(self) -> impl Iterator<Item = Json<'a>> {
        let mut walk = Walk::new(self, b'[');
        std::iter::from_fn(move || walk.next())
    }

    /// The text of a JSON string. Half of a surrogate pair becomes U+FFFD.
    pub fn text(self) -> Option<Cow<'a, str>> {
        let inner = self.0.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        if !inner.contains(&b'\\') {
            return std::str::from_utf8(inner).ok().map(Cow::Borrowed);
        }
        String::from_utf8(decode(inner)?).ok().map(Cow::Owned)
    }

    pub fn number(self) -> Option<f64> {
        std::str::from_utf8(self.0).ok()?.parse().ok()
    }
}

/// Steps over the values of an array, or the keys and values of an object.
struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Walk<'a> {
    fn new(json: Json<'a>, opening: u8) -> Self {
        let at = if json.0.first() == Some(&opening) { 1 } else { json.0.len() };
        Walk { bytes: json.0, at }
    }

    fn next(&mut self) -> Option<Json<'a>> {
        while matches!(self.bytes.get(self.at)?, b' ' | b'\n' | b'\t' | b'\r' | b',' | b':') {
            self.at += 1;
        }
        let end = skip(self.bytes, self.at);
        let value = &self.bytes[self.at..end];
        self.at = end;
        (!value.is_empty()).then_some(Json(value))
    }
}

/// The end of the value that begins at `at`; `at` itself where an array or an object ends.
fn skip(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0usize;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = skip_text(bytes, at);
                if depth == 0 {
                    return at;
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth <= 1 => return at + depth,
            b'}' | b']' => depth -= 1,
            b',' | b':' | b' ' | b'\n' | b'\t' | b'\r' if depth == 0 => return at,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

fn skip_text(bytes: &[u8], mut at: usize) -> usize {
    at += 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn decode(inner: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(inner.len());
    let mut at = 0;
    while let Some(&byte) = inner.get(at) {
        at += 1;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let escape = *inner.get(at)?;
        at += 1;
        match escape {
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'u' => {
                let (letter, size) = decode_unit(&inner[at..])?;
                out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                at += size;
            }
            other => out.push(other),
        }
    }
    Some(out)
}

/// What stands behind `\u`, and its length: four digits, or eleven signs for a surrogate pair less its first `\u`.
fn decode_unit(rest: &[u8]) -> Option<(char, usize)> {
    let high = hex(rest)?;
    if let Some(letter) = char::from_u32(high) {
        return Some((letter, 4));
    }
    let low = rest.get(4..).and_then(|rest| rest.strip_prefix(b"\\u")).and_then(hex);
    Some(match low {
        Some(low @ 0xdc00..=0xdfff) if high < 0xdc00 => {
            (char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))?, 10)
        }
        _ => (char::REPLACEMENT_CHARACTER, 4),
    })
}

fn hex(rest: &[u8]) -> Option<u32> {
    u32::from_str_radix(std::str::from_utf8(rest.get(..4)?).ok()?, 16).ok()
}

/// What a rule answers. Findings are collected first; `pass`, `block` and `undecided` end it.
pub struct Answer {
    verdict: &'static str,
    reason: Option<String>,
    findings: String,
    count: usize,
}

impl Answer {
    pub fn new() -> Self {
        Answer { verdict: "undecided", reason: None, findings: String::new(), count: 0 }
    }

    /// Something found: bytes `start` to `end` of the text with this number. At most 1000 count.
    pub fn find(&mut self, kind: &str, text: usize, start: usize, end: usize) {
        if self.count == FINDINGS || self.findings.len() > ANSWER {
            return;
        }
        self.findings.push_str(if self.count == 0 { "{\"type\":" } else { ",{\"type\":" });
        push_text(&mut self.findings, kind);
        for (key, number) in [("text", text), ("start", start), ("end", end)] {
            self.findings.push_str(",\"");
            self.findings.push_str(key);
            self.findings.push_str("\":");
            self.findings.push_str(&number.to_string());
        }
        self.findings.push('}');
        self.count += 1;
    }

    /// Something found that has no place in a text.
    pub fn find_somewhere(&mut self, kind: &str) {
        if self.count == FINDINGS || self.findings.len() > ANSWER {
            return;
        }
        self.findings.push_str(if self.count == 0 { "{\"type\":" } else { ",{\"type\":" });
        push_text(&mut self.findings, kind);
        self.findings.push('}');
        self.count += 1;
    }

    pub fn has_findings(&self) -> bool {
        self.count > 0
    }

    pub fn pass(mut self) -> Self {
        self.verdict = "pass";
        self
    }

    /// `reason`, of at most 500 signs, is read by the client.
    pub fn block(mut self, reason: &str) -> Self {
        self.verdict = "block";
        self.reason = Some(reason.to_owned());
        self
    }

    /// The gateway's `onFailure` decides.
    pub fn undecided(mut self, reason: &str) -> Self {
        self.verdict = "undecided";
        self.reason = Some(reason.to_owned());
        self
    }

    fn to_json(&self) -> String {
        let mut out = String::from("{\"version\":1,\"unit\":\"utf8\",\"verdict\":\"");
        out.push_str(self.verdict);
        out.push('"');
        if let Some(reason) = &self.reason {
            out.push_str(",\"reason\":");
            push_text(&mut out, reason);
        }
        out.push_str(",\"findings\":[");
        out.push_str(&self.findings);
        out.push_str("]}");
        out
    }
}

fn push_text(out: &mut String, text: &str) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\0'..='\x1f' => {
                out.push_str("\\u00");
                out.push(char::from_digit(letter as u32 >> 4, 16).unwrap_or('0'));
                out.push(char::from_digit(letter as u32 & 15, 16).unwrap_or('0'));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}
