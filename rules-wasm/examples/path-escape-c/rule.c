#include "gatehouse.h"

/*
 * Blocks paths that lead upwards or are absolute, in arguments whose names end in one of `arguments`. The same idea as the example
 * `path-escape`, for whoever writes C: fewer cases, a tenth of the size.
 */

#define LONGEST 8192
#define LAYERS 4
/* The stack is small. */
#define DEEPEST 100

static char names_bytes[1024], path_bytes[LONGEST + 4];
static gh_span names;

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_hex(char c) { return is_digit(c) || (gh_lower(c) >= 'a' && gh_lower(c) <= 'f'); }
static bool is_letter(char c) { return gh_lower(c) >= 'a' && gh_lower(c) <= 'z'; }

/* Whether the name of an argument ends in one of the words of the configuration. */
static bool names_path(gh_span name) {
  uint32_t start = 0;
  for (uint32_t i = 0; i <= names.size; i++) {
    if (i < names.size && names.at[i] != ',') continue;
    gh_span word = {names.at + start, i - start};
    start = i + 1;
    if (word.size == 0 || word.size > name.size) continue;
    gh_span end = {name.at + name.size - word.size, word.size};
    if (gh_find(end, word, 0) == 0) return true;
  }
  return false;
}

/* Undoes one layer of percent encoding in place; `size` becomes what is left. False: there was none. */
static bool decode(char *at, uint32_t *size) {
  uint32_t n = 0;
  bool found = false;
  for (uint32_t i = 0; i < *size; i++, n++) {
    at[n] = at[i];
    if (at[i] != '%' || i + 2 >= *size || !is_hex(at[i + 1]) || !is_hex(at[i + 2])) continue;
    char digits[4] = {'0', '0', at[i + 1], at[i + 2]};
    at[n] = (char)gh_hex4(digits);
    i += 2;
    found = true;
  }
  *size = n;
  return found;
}

/* Where bytes spell a point or a slash in another way, they become one: backslash, UTF-8 that is too long, wide forms. */
static void flatten(char *at, uint32_t *size) {
  static const struct {
    const char *bytes;
    char sign;
  } forms[] = {{"\xc0\xae", '.'}, {"\xe0\x80\xae", '.'}, {"\xc0\xaf", '/'}, {"\xe0\x80\xaf", '/'}, {"\xef\xbc\x8e", '.'},
               {"\xe2\x80\xa4", '.'}, {"\xef\xbc\x8f", '/'}, {"\xe2\x88\x95", '/'}, {"\xe2\x81\x84", '/'}, {"\xef\xbc\xbc", '/'},
               {"\\", '/'}};
  uint32_t n = 0;
  for (uint32_t i = 0; i < *size; n++) {
    char sign = at[i];
    uint32_t width = 1;
    for (uint32_t f = 0; f < sizeof forms / sizeof *forms && (sign == '\\' || sign < 0); f++) {
      uint32_t length = gh_length(forms[f].bytes), same = 0;
      while (same < length && i + same < *size && at[i + same] == forms[f].bytes[same]) same++;
      if (same == length) sign = forms[f].sign, width = length;
    }
    at[n] = sign;
    i += width;
  }
  *size = n;
}

/* Whether the path leads above where it begins. Spaces and more points behind `..` are dropped, as Windows does. */
static bool rises(const char *at, uint32_t size) {
  int32_t depth = 0;
  for (uint32_t i = 0; i <= size;) {
    uint32_t end = i, points = 0;
    while (end < size && at[end] != '/') end++;
    while (i + points < end && at[i + points] == '.') points++;
    uint32_t last = end;
    while (last > i + points && (at[last - 1] == ' ' || at[last - 1] == '.')) last--;
    bool only_points = last == i + points || at[i + points] == ';';
    if (points >= 2 && only_points && --depth < 0) return true;
    if (end > i && !(only_points && points > 0)) depth++;
    i = end + 1;
  }
  return false;
}

static const char *look(const char *at, uint32_t size) {
  for (uint32_t i = 0; i < size; i++)
    if (at[i] == 0) return "NUL_IN_PATH";
  gh_span scheme = {"file:", 5}, path = {at, size};
  if (gh_find(path, scheme, 0) == 0) return "ABSOLUTE_PATH";
  if (size > 1 && at[0] == '/' && at[1] == '/') return "NETWORK_PATH";
  if (size > 0 && (at[0] == '/' || at[0] == '~')) return "ABSOLUTE_PATH";
  if (size > 1 && at[1] == ':' && is_letter(at[0])) return "ABSOLUTE_PATH";
  return rises(at, size) ? "PATH_TRAVERSAL" : NULL;
}

static const char *inspect(gh_span path) {
  while (path.size > 0 && path.at[0] > 0 && path.at[0] <= ' ') path.at++, path.size--;
  if (path.size > LONGEST) return "LONG_PATH";
  uint32_t size = path.size;
  for (uint32_t i = 0; i < size; i++) path_bytes[i] = path.at[i];
  for (int layer = 0; layer < LAYERS; layer++) {
    flatten(path_bytes, &size);
    const char *problem = look(path_bytes, size);
    if (problem) return problem;
    if (!decode(path_bytes, &size)) return NULL;
  }
  return "ENCODED_PATH";
}

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

GH_EXPORT(evaluate) int32_t evaluate(void) {
  gh_span input = gh_input();
  names = gh_config("arguments", names_bytes, sizeof names_bytes);
  if (input.size == 0 || names.size == 0) return gh_undecided("The message or the configuration could not be read.");
  const char *problem = walk(gh_get(gh_get(input, "message"), "arguments"), false, 0);
  if (!problem) return gh_pass();
  gh_found(problem);
  return gh_block("A path of this call leads out of the directory in which it should stay.");
}
