package rule

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Value is a value of JSON. What is not there is Value{}: it can be asked like any other, and gives nothing.
type Value struct {
	text   string
	items  []Value
	keys   []string
	number float64
	kind   byte
}

const (
	absent = iota
	null
	boolean
	numeric
	text
	array
	object
)

// mostDeep is how many values may stand in one another.
const mostDeep = 256

// Exists tells whether there is such a value, null included.
func (value Value) Exists() bool { return value.kind != absent }

// IsText tells whether it is a string.
func (value Value) IsText() bool { return value.kind == text }

// Text is the string, or "" for whatever is none.
func (value Value) Text() string { return value.text }

// Number is the number, or 0 for whatever is none; a boolean is 1 or 0.
func (value Value) Number() float64 { return value.number }

// Items are those of an array, or the values of an object in the order of Keys.
func (value Value) Items() []Value { return value.items }

// Keys are those of an object, in the order in which they came.
func (value Value) Keys() []string { return value.keys }

// Texts are the items that are strings; others are "".
func (value Value) Texts() []string {
	texts := make([]string, len(value.items))
	for n, item := range value.items {
		texts[n] = item.text
	}
	return texts
}

// Get finds what stands under these keys in one another. Of a key that comes twice the last counts.
func (value Value) Get(path ...string) Value {
	for _, key := range path {
		value = value.member(key)
	}
	return value
}

func (value Value) member(key string) Value {
	for n := len(value.keys) - 1; n >= 0; n-- {
		if value.keys[n] == key {
			return value.items[n]
		}
	}
	return Value{}
}

// Parse reads one value of JSON; false if it is none, or too deep.
func Parse(input []byte) (Value, bool) {
	reader := reader{input: input}
	value := reader.value(0)
	reader.space()
	return value, !reader.failed && reader.at == len(input)
}

type reader struct {
	input  []byte
	at     int
	failed bool
}

func (reader *reader) fail() Value {
	reader.failed, reader.at = true, len(reader.input)
	return Value{}
}

func (reader *reader) peek() byte {
	if reader.at >= len(reader.input) {
		return 0
	}
	return reader.input[reader.at]
}

func (reader *reader) space() {
	for {
		switch reader.peek() {
		case ' ', '\n', '\r', '\t':
			reader.at++
		default:
			return
		}
	}
}

func (reader *reader) skip(sign byte) bool {
	reader.space()
	if reader.peek() != sign {
		return false
	}
	reader.at++
	return true
}

func (reader *reader) value(depth int) Value {
	reader.space()
	if depth > mostDeep {
		return reader.fail()
	}
	switch sign := reader.peek(); {
	case sign == '"':
		return Value{kind: text, text: reader.string()}
	case sign == '{':
		return reader.members(depth)
	case sign == '[':
		return reader.elements(depth)
	case sign == 't':
		return reader.word("true", Value{kind: boolean, number: 1})
	case sign == 'f':
		return reader.word("false", Value{kind: boolean})
	case sign == 'n':
		return reader.word("null", Value{kind: null})
	}
	return reader.numeral()
}

func (reader *reader) word(word string, value Value) Value {
	if len(reader.input)-reader.at < len(word) || string(reader.input[reader.at:reader.at+len(word)]) != word {
		return reader.fail()
	}
	reader.at += len(word)
	return value
}

func (reader *reader) numeral() Value {
	from := reader.at
	for sign := reader.peek(); sign == '-' || sign == '+' || sign == '.' || sign|32 == 'e' || ('0' <= sign && sign <= '9'); sign = reader.peek() {
		reader.at++
	}
	number, err := strconv.ParseFloat(string(reader.input[from:reader.at]), 64)
	if err != nil && number == 0 {
		return reader.fail()
	}
	return Value{kind: numeric, number: number}
}

func (reader *reader) elements(depth int) Value {
	value := Value{kind: array}
	reader.at++
	for first := true; !reader.skip(']') && !reader.failed; first = false {
		if !first && !reader.skip(',') {
			return reader.fail()
		}
		value.items = append(value.items, reader.value(depth+1))
	}
	return value
}

func (reader *reader) members(depth int) Value {
	value := Value{kind: object}
	reader.at++
	for first := true; !reader.skip('}') && !reader.failed; first = false {
		if !first && !reader.skip(',') {
			return reader.fail()
		}
		reader.space()
		if reader.peek() != '"' {
			return reader.fail()
		}
		key := reader.string()
		if !reader.skip(':') {
			return reader.fail()
		}
		value.keys = append(value.keys, key)
		value.items = append(value.items, reader.value(depth+1))
	}
	return value
}

// string reads what stands between quotes; most strings have nothing to resolve.
func (reader *reader) string() string {
	reader.at++
	from := reader.at
	for reader.at < len(reader.input) {
		switch reader.input[reader.at] {
		case '"':
			reader.at++
			return string(reader.input[from : reader.at-1])
		case '\\':
			return reader.escaped(append([]byte(nil), reader.input[from:reader.at]...))
		}
		reader.at++
	}
	reader.fail()
	return ""
}

var escapes = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func (reader *reader) escaped(out []byte) string {
	for reader.at < len(reader.input) {
		sign := reader.input[reader.at]
		reader.at++
		switch sign {
		case '"':
			return string(out)
		case '\\':
			out = reader.escape(out)
		default:
			out = append(out, sign)
		}
	}
	reader.fail()
	return ""
}

func (reader *reader) escape(out []byte) []byte {
	sign := reader.peek()
	reader.at++
	if plain, ok := escapes[sign]; ok {
		return append(out, plain)
	}
	if sign != 'u' {
		reader.fail()
		return out
	}
	unit := reader.unit()
	if utf16.IsSurrogate(unit) && reader.at+1 < len(reader.input) && reader.input[reader.at] == '\\' && reader.input[reader.at+1] == 'u' {
		reader.at += 2
		unit = utf16.DecodeRune(unit, reader.unit())
	}
	return utf8.AppendRune(out, unit)
}

func (reader *reader) unit() rune {
	if reader.at+4 > len(reader.input) {
		reader.fail()
		return 0
	}
	unit, err := strconv.ParseUint(string(reader.input[reader.at:reader.at+4]), 16, 16)
	if err != nil {
		reader.fail()
		return 0
	}
	reader.at += 4
	return rune(unit)
}

const digits = "0123456789abcdef"

// quote writes a string of JSON.
func quote(text string) []byte {
	out := []byte{'"'}
	for n := 0; n < len(text); n++ {
		switch sign := text[n]; {
		case sign == '"' || sign == '\\':
			out = append(out, '\\', sign)
		case sign < 0x20:
			out = append(out, '\\', 'u', '0', '0', digits[sign>>4], digits[sign&15])
		default:
			out = append(out, sign)
		}
	}
	return append(out, '"')
}

func number(out []byte, before string, value int) []byte {
	return strconv.AppendInt(append(out, before...), int64(value), 10)
}
