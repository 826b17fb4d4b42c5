/*
 * All that a rule in C needs: the message, findings, the answer. No allocation and no C library: three buffers that are used
 * anew in every call. Include it in one file only.
 *
 * A `gh_span` is a piece of bytes: of the gateway's JSON, or of decoded text. The reader trusts the JSON to be well-formed, since
 * the gateway itself writes it; whatever is not there is an empty span, which every function takes.
 */
#ifndef GATEHOUSE_H
#define GATEHOUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GH_HOST(name) __attribute__((import_module("extism:host/user"), import_name(#name)))
#define GH_EXPORT(name) __attribute__((export_name(#name)))

GH_HOST(input_read) int32_t gh_host_input(void *out, int32_t offset, int32_t size);
GH_HOST(output_write) void gh_host_output(const void *at, int32_t size);
/* Those below need the capability of their first word in `rule.json`. */
GH_HOST(log) void gh_host_log(int32_t level, const void *at, int32_t size);
GH_HOST(config_read) int32_t gh_host_config(const void *key, int32_t key_size, void *out, int32_t cap);

GH_EXPORT(gatehouse_rule_abi_1) void gatehouse_rule_abi_1(void) {}

#define GH_INPUT 262144
#define GH_OUTPUT 65536
/* The answer ends within this; findings that do not fit before it are left out. */
#define GH_TAIL 4096

typedef struct {
  const char *at;
  uint32_t size;
} gh_span;

static char gh_input_bytes[GH_INPUT + 1];
static char gh_text_bytes[GH_INPUT];
static char gh_output_bytes[GH_OUTPUT];
static uint32_t gh_text_used, gh_output_used, gh_findings;
/* Texts were decoded over and over until the buffer was full: such a call is never answered but `undecided`. */
static bool gh_is_full;

/* ---- Spans ---- */

static uint32_t gh_length(const char *word) {
  uint32_t size = 0;
  while (word[size]) size++;
  return size;
}

static bool gh_is(gh_span text, const char *word) {
  uint32_t size = gh_length(word);
  if (text.size != size) return false;
  for (uint32_t i = 0; i < size; i++)
    if (text.at[i] != word[i]) return false;
  return true;
}

static char gh_lower(char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }

/* Where `word` begins in `text` at or after `from`, upper and lower case of ASCII being one; -1: nowhere. */
static int32_t gh_find(gh_span text, gh_span word, uint32_t from) {
  if (word.size == 0) return -1;
  char first = gh_lower(word.at[0]);
  for (uint32_t i = from; i + word.size <= text.size; i++) {
    if (gh_lower(text.at[i]) != first) continue;
    uint32_t n = 1;
    while (n < word.size && gh_lower(text.at[i + n]) == gh_lower(word.at[n])) n++;
    if (n == word.size) return (int32_t)i;
  }
  return -1;
}

/* ---- Reading JSON ---- */

static uint32_t gh_blank(const char *at, uint32_t i, uint32_t size) {
  while (i < size && (at[i] == ' ' || at[i] == '\n' || at[i] == '\t' || at[i] == '\r')) i++;
  return i;
}

static uint32_t gh_skip_text(const char *at, uint32_t i, uint32_t size) {
  for (i++; i < size; i++) {
    if (at[i] == '\\') i++;
    else if (at[i] == '"') return i + 1;
  }
  return size;
}

/* The end of the value that begins at `i`. */
static uint32_t gh_skip(const char *at, uint32_t i, uint32_t size) {
  uint32_t depth = 0;
  while (i < size) {
    char c = at[i];
    if (c == '"') {
      i = gh_skip_text(at, i, size);
      if (depth == 0) return i;
      continue;
    }
    if (c == '{' || c == '[') depth++;
    else if (c == '}' || c == ']') {
      if (depth == 0) return i;
      if (--depth == 0) return i + 1;
    } else if (depth == 0 && (c == ',' || c == ':' || c == ' ' || c == '\n' || c == '\t' || c == '\r')) return i;
    i++;
  }
  return size;
}

static bool gh_is_text(gh_span value) { return value.size >= 2 && value.at[0] == '"'; }
static bool gh_is_array(gh_span value) { return value.size >= 2 && value.at[0] == '['; }
static bool gh_is_object(gh_span value) { return value.size >= 2 && value.at[0] == '{'; }

/* Walks an array or an object. Begin with `rest` as the whole value; `key` is the JSON of the key; NULL for an array. */
static bool gh_next(gh_span *rest, gh_span *key, gh_span *value) {
  const char *at = rest->at;
  uint32_t size = rest->size, i = gh_blank(at, 0, size);
  if (i < size && (at[i] == '{' || at[i] == '[' || at[i] == ',')) i = gh_blank(at, i + 1, size);
  if (i >= size || at[i] == '}' || at[i] == ']') return false;
  uint32_t end = gh_skip(at, i, size);
  if (key) {
    *key = (gh_span){at + i, end - i};
    i = gh_blank(at, end, size);
    if (i >= size || at[i] != ':') return false;
    i = gh_blank(at, i + 1, size);
    end = gh_skip(at, i, size);
  }
  if (end <= i) return false;
  *value = (gh_span){at + i, end - i};
  i = gh_blank(at, end, size);
  *rest = (gh_span){at + i, size - i};
  return true;
}

static uint32_t gh_hex4(const char *at) {
  uint32_t code = 0;
  for (int n = 0; n < 4; n++) {
    char c = at[n];
    code = code << 4 | (uint32_t)(c <= '9' ? c - '0' : gh_lower(c) - 'a' + 10);
  }
  return code;
}

static uint32_t gh_put_code(char *out, uint32_t code) {
  if (code < 0x80) return out[0] = (char)code, 1;
  if (code < 0x800) return out[0] = (char)(0xc0 | code >> 6), out[1] = (char)(0x80 | (code & 63)), 2;
  if (code < 0x10000) {
    out[0] = (char)(0xe0 | code >> 12), out[1] = (char)(0x80 | (code >> 6 & 63)), out[2] = (char)(0x80 | (code & 63));
    return 3;
  }
  out[0] = (char)(0xf0 | code >> 18), out[1] = (char)(0x80 | (code >> 12 & 63));
  out[2] = (char)(0x80 | (code >> 6 & 63)), out[3] = (char)(0x80 | (code & 63));
  return 4;
}

/* The text of a JSON string, in UTF-8. Half of a surrogate pair becomes U+FFFD. Good until the call ends. */
static gh_span gh_text(gh_span value) {
  if (!gh_is_text(value)) return (gh_span){NULL, 0};
  const char *at = value.at;
  uint32_t i = 1, end = value.size - 1;
  while (i < end && at[i] != '\\') i++;
  if (i == end) return (gh_span){at + 1, end - 1};
  if (gh_text_used + value.size > GH_INPUT) {
    gh_is_full = true;
    return (gh_span){NULL, 0};
  }
  char *out = gh_text_bytes + gh_text_used;
  uint32_t n = 0;
  for (i = 1; i < end; i++) {
    if (at[i] != '\\') {
      out[n++] = at[i];
      continue;
    }
    char c = at[++i];
    if (c != 'u') {
      out[n++] = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c == 'b' ? '\b' : c == 'f' ? '\f' : c;
      continue;
    }
    if (i + 4 >= end) break;
    uint32_t code = gh_hex4(at + i + 1);
    i += 4;
    if (code >= 0xd800 && code < 0xdc00 && i + 6 < end && at[i + 1] == '\\' && at[i + 2] == 'u') {
      uint32_t low = gh_hex4(at + i + 3);
      if (low >= 0xdc00 && low < 0xe000) {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        i += 6;
      }
    }
    if (code >= 0xd800 && code < 0xe000) code = 0xfffd;
    n += gh_put_code(out + n, code);
  }
  gh_text_used += n;
  return (gh_span){out, n};
}

/* A member of an object. */
static gh_span gh_get(gh_span object, const char *name) {
  gh_span rest = object, key, value;
  if (!gh_is_object(object)) return (gh_span){NULL, 0};
  while (gh_next(&rest, &key, &value)) {
    uint32_t used = gh_text_used;
    bool same = gh_is(gh_text(key), name);
    gh_text_used = used;
    if (same) return value;
  }
  return (gh_span){NULL, 0};
}

/* ---- The answer ---- */

static void gh_put(const char *at, uint32_t size) {
  for (uint32_t i = 0; i < size && gh_output_used < GH_OUTPUT; i++) gh_output_bytes[gh_output_used++] = at[i];
}

static void gh_put_word(const char *word) { gh_put(word, gh_length(word)); }

static void gh_put_number(uint32_t n) {
  char digits[10];
  uint32_t i = 10;
  do digits[--i] = (char)('0' + n % 10);
  while (n /= 10);
  gh_put(digits + i, 10 - i);
}

static void gh_put_text(const char *word) {
  static const char hex[] = "0123456789abcdef";
  gh_put("\"", 1);
  for (; *word; word++) {
    char escaped[6] = {'\\', 'u', '0', '0', hex[*word >> 4 & 15], hex[*word & 15]};
    if (*word == '"' || *word == '\\' || (unsigned char)*word < 32) gh_put(escaped, 6);
    else gh_put(word, 1);
  }
  gh_put("\"", 1);
}

/* Something found: bytes `start` to `end` of the text with this number. At most 1000 count. */
static void gh_finding(const char *type, uint32_t text, uint32_t start, uint32_t end) {
  if (gh_findings == 1000 || gh_output_used > GH_OUTPUT - GH_TAIL) return;
  gh_put_word(gh_findings++ ? ",{\"type\":" : "{\"type\":");
  gh_put_text(type);
  gh_put_word(",\"text\":"), gh_put_number(text);
  gh_put_word(",\"start\":"), gh_put_number(start);
  gh_put_word(",\"end\":"), gh_put_number(end);
  gh_put_word("}");
}

/* Something found that has no place in a text. */
static void gh_found(const char *type) {
  if (gh_findings == 1000 || gh_output_used > GH_OUTPUT - GH_TAIL) return;
  gh_put_word(gh_findings++ ? ",{\"type\":" : "{\"type\":");
  gh_put_text(type);
  gh_put_word("}");
}

/* Ends the call. `reason` (at most 500 signs) is read by the client; NULL: none. `evaluate` returns what this returns. */
static int32_t gh_answer(const char *verdict, const char *reason) {
  if (gh_is_full) verdict = "undecided";
  gh_put_word("],\"verdict\":"), gh_put_text(verdict);
  if (reason) gh_put_word(",\"reason\":"), gh_put_text(reason);
  gh_put_word("}");
  gh_host_output(gh_output_bytes, (int32_t)gh_output_used);
  return 0;
}

static int32_t gh_pass(void) { return gh_answer("pass", NULL); }
static int32_t gh_block(const char *reason) { return gh_answer("block", reason); }
static int32_t gh_undecided(const char *reason) { return gh_answer("undecided", reason); }

/* ---- The call ---- */

/* The input, an object. Call it first. Empty if it is larger than any input may be: then answer `undecided`. */
static gh_span gh_input(void) {
  gh_text_used = gh_output_used = gh_findings = 0;
  gh_is_full = false;
  gh_put_word("{\"version\":1,\"unit\":\"utf8\",\"findings\":[");
  int32_t size = gh_host_input(gh_input_bytes, 0, GH_INPUT + 1);
  return size > 0 && size <= GH_INPUT ? (gh_span){gh_input_bytes, (uint32_t)size} : (gh_span){NULL, 0};
}

/* A key of the configuration; its text is written into `out`. Empty: not there, or larger than `cap`. Capability `config`. */
static gh_span gh_config(const char *key, char *out, uint32_t cap) {
  int32_t size = gh_host_config(key, (int32_t)gh_length(key), out, (int32_t)cap);
  return size >= 0 && (uint32_t)size <= cap ? (gh_span){out, (uint32_t)size} : (gh_span){NULL, 0};
}

#endif
