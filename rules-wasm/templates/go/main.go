// Command {{name}} is a rule of Gatehouse.
package main

import (
	"strings"

	"{{name}}/rule"
)

//go:wasmexport gatehouse_rule_abi_1
func abi() int32 { return 1 }

//go:wasmexport evaluate
func evaluate() int32 { return rule.Serve(look) }

// look finds a phrase in the texts of the message. With an action the gateway does that to each place; without, the message is
// blocked.
func look(input rule.Input) rule.Answer {
	phrase, ok := rule.Config("phrase")
	if !ok || phrase == "" {
		return rule.Undecided("The phrase to look for could not be read.")
	}
	phrase = lower(phrase)
	var answer rule.Answer
	for number, text := range input.Texts() {
		text = lower(text)
		for from := 0; ; {
			at := strings.Index(text[from:], phrase)
			if at < 0 {
				break
			}
			answer.Find("phrase", number, from+at, from+at+len(phrase))
			from += at + len(phrase)
		}
	}
	if len(answer.Findings) == 0 {
		return rule.Pass()
	}
	return answer.Block("This message holds a phrase that must not pass here.")
}

// lower changes the letters of ASCII alone, so that places stay those of the text as it came.
func lower(text string) string {
	signs := []byte(text)
	for n, sign := range signs {
		if 'A' <= sign && sign <= 'Z' {
			signs[n] = sign + 'a' - 'A'
		}
	}
	return string(signs)
}

func main() {}
