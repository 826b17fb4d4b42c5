// Package rule is all that a rule needs: the message, the answer, and what the gateway offers.
package rule

// Input is what a rule is shown. Its manifest says whether the message, the texts or both are there.
type Input struct{ Value }

// Leg is "request" or "response".
func (input Input) Leg() string { return input.Get("leg").Text() }

// Call holds the facts of the call: "user", "server", "feature" and more.
func (input Input) Call() Value { return input.Get("call") }

// Message is the params of a request or the result of a response.
func (input Input) Message() Value { return input.Get("message") }

// Texts are the string values of the message. Findings name them by number.
func (input Input) Texts() []string { return input.Get("texts").Texts() }

// Keys are the object keys of the message.
func (input Input) Keys() []string { return input.Get("keys").Texts() }

// Finding is something found in the text of this number; Start and End count its bytes.
type Finding struct {
	Type             string
	Text, Start, End int
}

// Change is another text in the place of the one of this number.
type Change struct {
	Text  int
	Value string
}

// Answer is a verdict and what stands with it.
type Answer struct {
	Verdict  string
	Reason   string
	Findings []Finding
	Changes  []Change
}

// Pass lets the message go on.
func Pass() Answer { return Answer{Verdict: "pass"} }

// Block ends the message here; the client reads the reason.
func Block(reason string) Answer { return Answer{Verdict: "block", Reason: reason} }

// Undecided leaves it to the rule's onFailure.
func Undecided(reason string) Answer { return Answer{Verdict: "undecided", Reason: reason} }

// Find adds a finding; beyond a thousand they are left out.
func (answer *Answer) Find(kind string, text, start, end int) {
	if len(answer.Findings) < 1000 {
		answer.Findings = append(answer.Findings, Finding{kind, text, start, end})
	}
}

// Change puts another text in the place of the one of this number.
func (answer *Answer) Change(text int, value string) {
	answer.Changes = append(answer.Changes, Change{text, value})
}

// Pass lets the message go on; the findings count.
func (answer Answer) Pass() Answer { return answer.with("pass", "") }

// Block ends the message here; the client reads the reason.
func (answer Answer) Block(reason string) Answer { return answer.with("block", reason) }

// Modify lets the message go on with its changes.
func (answer Answer) Modify() Answer { return answer.with("modify", "") }

func (answer Answer) with(verdict, reason string) Answer {
	answer.Verdict, answer.Reason = verdict, reason
	return answer
}

// Serve reads the input, lets the rule look at it, and writes its answer. It is what evaluate returns.
func Serve(look func(Input) Answer) int32 {
	value, ok := Parse(readInput())
	if !ok {
		writeOutput(Undecided("The message could not be read.").json())
		return 0
	}
	writeOutput(look(Input{value}).json())
	return 0
}

func (answer Answer) json() []byte {
	out := append([]byte(`{"version":1,"unit":"utf8","verdict":`), quote(answer.Verdict)...)
	if answer.Reason != "" {
		out = append(append(out, `,"reason":`...), quote(answer.Reason)...)
	}
	out = append(out, `,"findings":[`...)
	for n, found := range answer.Findings {
		out = comma(out, n)
		out = append(append(out, `{"type":`...), quote(found.Type)...)
		out = number(out, `,"text":`, found.Text)
		out = number(out, `,"start":`, found.Start)
		out = append(number(out, `,"end":`, found.End), '}')
	}
	out = append(out, ']')
	if len(answer.Changes) == 0 {
		return append(out, '}')
	}
	out = append(out, `,"texts":[`...)
	for n, change := range answer.Changes {
		out = number(comma(out, n), `{"text":`, change.Text)
		out = append(append(append(out, `,"value":`...), quote(change.Value)...), '}')
	}
	return append(out, "]}"...)
}

func comma(out []byte, n int) []byte {
	if n == 0 {
		return out
	}
	return append(out, ',')
}
