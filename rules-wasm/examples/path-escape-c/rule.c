#include "gatehouse.h"

/*
 * Blocks paths that lead out of where a tool should stay. The same as the example `path-escape`, for whoever writes C: every text is
 * worked on in place, since all that is undone in it makes it shorter.
 */

#define LONGEST 8192
#define LAYERS 4
/* The stack is small. */
#define DEEPEST 100

static char names_bytes[8192], roots_bytes[8192], strict_bytes[8], reason_bytes[160];
/* A UTF-16 unit is three bytes of UTF-8 at most. */
static char path_bytes[3 * LONGEST + 4], resolved_bytes[3 * LONGEST + 4];
static gh_span names, roots;
static bool is_strict;

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return gh_lower(c) >= 'a' && gh_lower(c) <= 'z'; }
static char byte_at(gh_span text, uint32_t i) { return i < text.size ? text.at[i] : 0; }
static gh_span from(gh_span text, uint32_t start) { return (gh_span){text.at + start, text.size - start}; }

static bool begins(gh_span text, const char *word) {
  for (uint32_t i = 0; word[i]; i++)
    if (gh_lower(byte_at(text, i)) != word[i]) return false;
  return true;
}

/* The code point that begins here, and how many bytes it has. */
static uint32_t code_at(const char *at, uint32_t size, uint32_t *width) {
  uint32_t lead = (uint8_t)at[0], more = lead < 0xc0 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
  *width = more < size ? more + 1 : 1;
  uint32_t code = more == 0 ? lead : lead & (0x3f >> more);
  for (uint32_t i = 1; i < *width; i++) code = code << 6 | ((uint8_t)at[i] & 0x3f);
  return code;
}

static bool is_space(uint32_t c) {
  return c == ' ' || (c >= 9 && c <= 13) || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
         c == 0x202f || c == 0x205f || c == 0x3000 || c == 0xfeff;
}

static gh_span trim_end(gh_span text) {
  while (text.size > 0) {
    uint32_t last = text.size - 1, width;
    while (last > 0 && ((uint8_t)text.at[last] & 0xc0) == 0x80) last--;
    if (!is_space(code_at(text.at + last, text.size - last, &width))) return text;
    text.size = last;
  }
  return text;
}

static gh_span trim(gh_span text) {
  uint32_t width;
  while (text.size > 0 && is_space(code_at(text.at, text.size, &width))) text = from(text, width);
  return trim_end(text);
}

/* The next part of a list with commas, without blanks around it; `list` becomes what is behind it. False: there is none. */
static bool next_word(gh_span *list, gh_span *word) {
  while (list->size > 0) {
    uint32_t end = 0;
    while (end < list->size && list->at[end] != ',') end++;
    *word = trim((gh_span){list->at, end});
    *list = from(*list, end < list->size ? end + 1 : end);
    if (word->size > 0) return true;
  }
  return false;
}

static bool is_same(gh_span text, gh_span word, bool is_case_one) {
  if (text.size != word.size) return false;
  for (uint32_t i = 0; i < text.size; i++)
    if (text.at[i] != word.at[i] && !(is_case_one && gh_lower(text.at[i]) == gh_lower(word.at[i]))) return false;
  return true;
}

/* Whether an argument of this name holds paths. `*path` names all that end so. */
static bool names_path(gh_span name) {
  gh_span rest = names, word;
  while (next_word(&rest, &word)) {
    gh_span end = name;
    if (word.at[0] == '*') {
      word = from(word, 1);
      if (word.size > name.size) continue;
      end = from(name, name.size - word.size);
    }
    if (is_same(end, word, true)) return true;
  }
  return false;
}

/* ---- What hides a path ---- */

static int32_t hex(char c) {
  if (is_digit(c)) return c - '0';
  char small = gh_lower(c);
  return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

/* What `%41` or `%u0041` at this place stands for; -1: nothing. */
static int32_t unit_at(gh_span text, uint32_t at, uint32_t *width) {
  if (byte_at(text, at) != '%') return -1;
  bool is_long = gh_lower(byte_at(text, at + 1)) == 'u';
  int32_t value = 0;
  *width = is_long ? 6 : 3;
  for (uint32_t i = is_long ? 2 : 1; i < *width; i++) {
    int32_t digit = hex(byte_at(text, at + i));
    if (digit < 0) return -1;
    value = value << 4 | digit;
  }
  return value;
}

/* Undoes one layer of percent encoding in place, UTF-8 that is longer than it need be too. False: there was none. */
static bool decode(gh_span *text) {
  char *out = (char *)text->at;
  uint32_t n = 0, i = 0, width;
  bool found = false;
  while (i < text->size) {
    int32_t unit = unit_at(*text, i, &width);
    if (unit < 0) {
      out[n++] = text->at[i++];
      continue;
    }
    found = true;
    i += width;
    uint32_t more = unit > 0xff || unit < 0xc0 ? 0 : unit < 0xe0 ? 1 : unit < 0xf0 ? 2 : 3;
    uint32_t code = (uint32_t)unit;
    for (uint32_t left = more; left > 0; left--) {
      int32_t next = unit_at(*text, i, &width);
      if (next < 0x80 || next > 0xbf) break;
      code = (left == more ? code & (0x3f >> more) : code) << 6 | ((uint32_t)next & 0x3f);
      i += width;
    }
    n += gh_put_code(out + n, code > 0x10ffff ? 0xfffd : code);
  }
  text->size = n;
  return found;
}

/* Points, slashes, per cent and colons in the place of what a file system or a server may take for them. */
static const char *plain_sign(uint32_t code) {
  switch (code) {
    case '\\': case 0x2044: case 0x2215: case 0x2216: case 0x29f8: case 0xff0f: case 0xff3c: case 0xfe68: return "/";
    case 0x2024: case 0xff0e: case 0xfe52: return ".";
    case 0x2025: return "..";
    case 0x2026: return "...";
    case 0xff05: return "%";
    case 0xff1a: return ":";
    default: return NULL;
  }
}

static void flatten(gh_span *text) {
  char *out = (char *)text->at;
  uint32_t n = 0, width;
  for (uint32_t i = 0; i < text->size; i += width) {
    const char *sign = plain_sign(code_at(text->at + i, text->size - i, &width));
    if (sign)
      while (*sign) out[n++] = *sign++;
    else
      for (uint32_t k = 0; k < width; k++) out[n++] = text->at[i + k];
  }
  text->size = n;
}

/* ---- Where it leads ---- */

/* The next name of a path as it counts: Windows drops spaces and points at its end, some servers what follows a semicolon. */
static bool next_name(gh_span *path, gh_span *name) {
  if (path->at == NULL) return false;
  uint32_t end = 0;
  while (end < path->size && path->at[end] != '/') end++;
  *name = (gh_span){path->at, end};
  *path = end < path->size ? from(*path, end + 1) : (gh_span){NULL, 0};
  bool is_pointed = byte_at(*name, 0) == '.' && byte_at(*name, 1) == '.';
  for (uint32_t i = 0; is_pointed && i < name->size; i++)
    if (name->at[i] == ';') name->size = i;
  *name = trim_end(*name);
  uint32_t points = 0;
  while (points < name->size && (name->at[points] == '.' || name->at[points] == ' ')) points++;
  if (is_pointed && points == name->size) name->size = 2;
  return true;
}

static bool is_up(gh_span name) { return gh_is(name, ".."); }
static bool is_nothing(gh_span name) { return name.size == 0 || gh_is(name, "."); }

/* Whether it leads above where it begins; if strict, whether it goes up at all. */
static bool rises(gh_span path) {
  int32_t depth = 0;
  gh_span name;
  while (next_name(&path, &name)) {
    if (is_up(name)) {
      if (is_strict || --depth < 0) return true;
    } else if (!is_nothing(name)) depth++;
  }
  return false;
}

static gh_span resolve(gh_span path) {
  uint32_t least = byte_at(path, 0) == '/' ? 1 : 0, n = least;
  resolved_bytes[0] = '/';
  gh_span name;
  while (next_name(&path, &name)) {
    if (is_up(name)) {
      while (n > least && resolved_bytes[n - 1] != '/') n--;
      if (n > least) n--;
    } else if (!is_nothing(name)) {
      if (n > least) resolved_bytes[n++] = '/';
      for (uint32_t i = 0; i < name.size; i++) resolved_bytes[n++] = name.at[i];
    }
  }
  return (gh_span){resolved_bytes, n};
}

/* The letters of a Windows drive are one, whatever their case. */
static bool is_within_roots(gh_span path) {
  gh_span rest = roots, root;
  while (next_word(&rest, &root)) {
    if (root.size > 1 && root.at[root.size - 1] == '/') root.size--;
    if (root.size > path.size || (root.size < path.size && path.at[root.size] != '/')) continue;
    if (is_same((gh_span){path.at, root.size}, root, byte_at(root, 1) == ':')) return true;
  }
  return false;
}

/* `~`, `$HOME`, `${…}`, `$(…)`, `%USERPROFILE%`: what a shell would put something in the place of. */
static bool holds_variable(gh_span path) {
  if (byte_at(path, 0) == '~') return true;
  for (uint32_t i = 0; i < path.size; i++) {
    if (path.at[i] != '$') continue;
    char next = byte_at(path, i + 1);
    if (next == '{' || next == '(') return true;
    if (next >= 'A' && next <= 'Z' && (i == 0 || path.at[i - 1] == '/')) return true;
  }
  uint32_t first = 0;
  while (first < path.size && path.at[first] != '%') first++;
  uint32_t last = first + 1;
  for (char c; last < path.size && (c = path.at[last]) != '%'; last++)
    if (!is_letter(c) && c != '_' && c != '(' && c != ')') return false;
  return last < path.size && last >= first + 4;
}

static bool holds(gh_span text, const char *word) {
  return gh_find(text, (gh_span){word, gh_length(word)}, 0) >= 0;
}

static const char *look_absolute(gh_span path) {
  if (is_strict && rises(path)) return "PATH_TRAVERSAL";
  return is_within_roots(resolve(path)) ? NULL : "ABSOLUTE_PATH";
}

static const char *look(gh_span path) {
  for (uint32_t i = 0; i < path.size; i++)
    if (path.at[i] == 0) return "NUL_IN_PATH";
  if (begins(path, "file:")) {
    path = from(path, 5);
    if (begins(path, "///")) path = from(path, 2);
    else if (begins(path, "//localhost/")) path = from(path, 11);
    /* file:///C:/… */
    if (byte_at(path, 0) == '/' && byte_at(path, 2) == ':') path = from(path, 1);
  }
  if (begins(path, "//")) return "NETWORK_PATH";
  if (holds(path, "::$")) return "FILE_STREAM";
  if (holds_variable(path)) return "VARIABLE_IN_PATH";
  bool is_drive = is_letter(byte_at(path, 0)) && byte_at(path, 1) == ':';
  if (is_drive || byte_at(path, 0) == '/') return look_absolute(path);
  return rises(path) ? "PATH_TRAVERSAL" : NULL;
}

/* As JavaScript counts it. */
static uint32_t length_of(gh_span text) {
  uint32_t units = 0;
  for (uint32_t i = 0; i < text.size; i++) {
    uint8_t byte = (uint8_t)text.at[i];
    units += (byte & 0xc0) == 0x80 ? 0 : byte >= 0xf0 ? 2 : 1;
  }
  return units;
}

static const char *inspect(gh_span given) {
  if (length_of(given) > LONGEST) return "LONG_PATH";
  for (uint32_t i = 0; i < given.size; i++) path_bytes[i] = given.at[i];
  gh_span path = {path_bytes, given.size};
  for (int layer = 0; layer < LAYERS; layer++) {
    flatten(&path);
    path = trim(path);
    const char *problem = look(path);
    if (problem) return problem;
    if (!decode(&path)) return NULL;
  }
  return "ENCODED_PATH";
}

/* ---- The call ---- */

/* Walks a value; `is_path` says that what stands in it is a path. */
static const char *walk(gh_span value, bool is_path, int depth) {
  if (depth > DEEPEST) return "TOO_DEEP";
  if (gh_is_text(value)) return is_path ? inspect(gh_text(value)) : NULL;
  gh_span rest = value, key, item;
  const char *problem = NULL;
  if (gh_is_array(value))
    while (!problem && gh_next(&rest, NULL, &item)) problem = walk(item, is_path, depth + 1);
  else if (gh_is_object(value))
    while (!problem && gh_next(&rest, &key, &item)) problem = walk(item, is_path || names_path(gh_text(key)), depth + 1);
  return problem;
}

static void append(uint32_t *n, const char *words) {
  for (; *words && *n + 1 < sizeof reason_bytes; words++) reason_bytes[(*n)++] = *words;
  reason_bytes[*n] = 0;
}

GH_EXPORT(evaluate) int32_t evaluate(void) {
  gh_span message = gh_get(gh_input(), "message");
  names = gh_config("arguments", names_bytes, sizeof names_bytes);
  roots = gh_config("roots", roots_bytes, sizeof roots_bytes);
  is_strict = gh_is(gh_config("strict", strict_bytes, sizeof strict_bytes), "true");
  if (message.size == 0 || names.size == 0) return gh_undecided("The message or the configuration could not be read.");
  for (uint32_t i = 0; i < roots.size; i++)
    if (roots_bytes[i] == '\\') roots_bytes[i] = '/';
  const char *problem = walk(gh_get(message, "arguments"), false, 0);
  gh_span uri = gh_get(message, "uri");
  if (!problem && gh_is_text(uri) && begins(gh_text(uri), "file:")) problem = inspect(gh_text(uri));
  if (!problem) return gh_pass();
  uint32_t n = 0;
  append(&n, "A path of this call leads out of the directories that are allowed here (");
  append(&n, problem);
  append(&n, ").");
  gh_found(problem);
  return gh_block(reason_bytes);
}
