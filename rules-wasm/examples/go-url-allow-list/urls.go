package main

import "strings"

// url is a place in a text where a URL with an authority stands. A host that cannot be told for certain is "?", which no list allows.
type url struct {
	start, end int
	host       string
}

// findURLs finds whatever a client may take for a URL with a host: any scheme before "//", slashes of either kind.
func findURLs(text string) []url {
	var found []url
	for at := 0; at < len(text); {
		colon := strings.IndexByte(text[at:], ':')
		if colon < 0 {
			return found
		}
		colon += at
		at = colon + 1
		start := schemeBefore(text, colon)
		slashes := skipSlashes(text, colon+1)
		if start == colon || slashes-colon-1 < 2 && !isLenient(text[start:colon], text[slashes:]) {
			continue
		}
		end := slashes
		for end < len(text) && !endsURL(text[end]) {
			end++
		}
		found = append(found, url{start, end, hostOf(text[slashes:end])})
		at = end
	}
	return found
}

// isLenient tells whether clients read a host there though slashes are missing: after the schemes of the web they do.
func isLenient(scheme, rest string) bool {
	switch strings.ToLower(scheme) {
	case "http", "https", "ws", "wss", "ftp":
		return rest != "" && (isLetter(rest[0]) || '0' <= rest[0] && rest[0] <= '9' || rest[0] == '[')
	}
	return false
}

// schemeBefore is where the scheme begins that ends at the colon (RFC 3986, 3.1), or the colon itself.
func schemeBefore(text string, colon int) int {
	start := colon
	for start > 0 && isSchemeSign(text[start-1]) {
		start--
	}
	for start < colon && !isLetter(text[start]) {
		start++
	}
	return start
}

func skipSlashes(text string, at int) int {
	for at < len(text) && (text[at] == '/' || text[at] == '\\') {
		at++
	}
	return at
}

// hostOf reads the host out of what follows the slashes. Clients differ about backslashes, percent signs and other letters than those of
// ASCII in it: then it is not told.
func hostOf(rest string) string {
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	if strings.ContainsAny(rest, "\\%") {
		return "?"
	}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		rest = rest[at+1:]
	}
	if strings.HasPrefix(rest, "[") {
		end := strings.IndexByte(rest, ']')
		if end < 0 {
			return "?"
		}
		return strings.ToLower(rest[:end+1])
	}
	if end := strings.IndexByte(rest, ':'); end >= 0 {
		rest = rest[:end]
	}
	host := strings.ToLower(strings.TrimSuffix(rest, "."))
	for n := 0; n < len(host); n++ {
		if host[n] >= 0x80 {
			return "?"
		}
	}
	if host == "" {
		return "?"
	}
	return host
}

func endsURL(sign byte) bool {
	return sign <= ' ' || sign == 0x7f || strings.IndexByte("\"'<>`{}|^),;", sign) >= 0
}

func isSchemeSign(sign byte) bool {
	return isLetter(sign) || '0' <= sign && sign <= '9' || sign == '+' || sign == '-' || sign == '.'
}

func isLetter(sign byte) bool { return 'a' <= sign|0x20 && sign|0x20 <= 'z' }
