#include "gatehouse.h"

/* Finds a phrase in the texts of the message. With an action the gateway does that to each place; without, the message is blocked. */
GH_EXPORT(evaluate) int32_t evaluate(void) {
  static char phrase_bytes[256];
  gh_span input = gh_input();
  gh_span phrase = gh_config("phrase", phrase_bytes, sizeof phrase_bytes);
  if (input.size == 0 || phrase.size == 0) return gh_undecided("The message or the phrase could not be read.");

  gh_span texts = gh_get(input, "texts"), value;
  for (uint32_t number = 0; gh_next(&texts, NULL, &value); number++) {
    gh_span text = gh_text(value);
    for (int32_t at = gh_find(text, phrase, 0); at >= 0; at = gh_find(text, phrase, (uint32_t)at + phrase.size))
      gh_finding("phrase", number, (uint32_t)at, (uint32_t)at + phrase.size);
  }
  return gh_findings ? gh_block("This message holds a phrase that must not pass here.") : gh_pass();
}
