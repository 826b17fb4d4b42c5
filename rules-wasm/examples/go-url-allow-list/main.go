// Command go-url-allow-list lets a message name no URL but those of hosts that are allowed.
package main

import (
	"strings"

	"go-url-allow-list/rule"
)

//go:wasmexport gatehouse_rule_abi_1
func abi() int32 { return 1 }

//go:wasmexport evaluate
func evaluate() int32 { return rule.Serve(look) }

func look(input rule.Input) rule.Answer {
	list, ok := rule.Config("hosts")
	if !ok {
		return rule.Undecided("The hosts that are allowed could not be read.")
	}
	allowed := strings.FieldsFunc(strings.ToLower(list), isBetween)
	var answer rule.Answer
	for number, text := range input.Texts() {
		for _, found := range findURLs(text) {
			if !isAllowed(found.host, allowed) {
				answer.Find("url", number, found.start, found.end)
			}
		}
	}
	if len(answer.Findings) == 0 {
		return rule.Pass()
	}
	return answer.Block("This message names a URL whose host is not allowed here.")
}

func isBetween(sign rune) bool { return sign == ',' || sign == ' ' || sign == '\n' || sign == '\t' }

// isAllowed knows "example.com" and "*.example.com", which is every name below example.com but not itself.
func isAllowed(host string, allowed []string) bool {
	for _, name := range allowed {
		if name == host || strings.HasPrefix(name, "*.") && strings.HasSuffix(host, name[1:]) && len(host) > len(name)-1 {
			return true
		}
	}
	return false
}

func main() {}
