package mapping

import (
	"maps"
	"slices"
	"strings"

	"coatcheck/bff/credential"
	"coatcheck/bff/http1"
)

// Protocol is the header in which a page, or an API's client, lists what it speaks over a
// WebSocket (RFC 6455 §11.3.4). It is a list, so that `send` adds to it.
const Protocol = "Sec-WebSocket-Protocol"

// listMembers takes a list apart at its commas, each member a template.
func listMembers(t Template) []Template {
	var list []Template
	for member := range strings.SplitSeq(t.Reveal(), ",") {
		if member = strings.TrimSpace(member); member != "" {
			list = append(list, NewTemplate(member))
		}
	}
	return list
}

// AppendProtocols appends what is offered on a WebSocket, "a, b": what the page offers,
// without what could be taken for ours, then ours. One of which a {name} has no value is
// left out.
func (s *Send) AppendProtocols(dst, offered []byte, c *credential.Credential, who Caller) []byte {
	begin := len(dst)
	add := func(member []byte) {
		if len(dst) > begin {
			dst = append(dst, ", "...)
		}
		dst = append(dst, member...)
	}
	http1.EachListMember(offered, func(member []byte) {
		if !s.isOurs(member) {
			add(member)
		}
	})
	s.eachProtocol(c, who, add)
	return dst
}

// Offers reports whether protocol is one that s offers for the person of c.
func (s *Send) Offers(protocol []byte, c *credential.Credential, who Caller) (is bool) {
	s.eachProtocol(c, who, func(member []byte) { is = is || string(member) == string(protocol) })
	return is
}

func (s *Send) eachProtocol(c *credential.Credential, who Caller, each func(member []byte)) {
	from := onCall(c, who)
	for _, t := range s.Protocols {
		if member, err := t.appendTo(nil, &from, putExtracted); err == nil {
			each(member)
		}
	}
}

// isOurs reports whether an API could take what a page offers for something that s offers:
// it is the same, or begins as one with a {name} does.
func (s *Send) isOurs(member []byte) bool {
	for _, t := range s.Protocols {
		first := t.parts[0]
		constant := first.text.Reveal()
		switch {
		case len(t.parts) == 1 && first.name == "" && strings.EqualFold(string(member), constant):
			return true
		case len(t.parts) > 1 && first.name == "" && http1.HasPrefixFold(member, strings.ToLower(constant)):
			return true
		}
	}
	return false
}

// MaxMessage bounds the first message of a WebSocket that something is put into, in bytes.
const MaxMessage = 64 << 10

// Message is what is laid over the first message that a page sends on a WebSocket: an
// object with {names} in its texts.
type Message struct{ object map[string]any }

func newMessage(b Body) *Message {
	value, _ := b.Value()
	object, ok := compileMessage(value).(map[string]any)
	if !ok {
		return nil
	}
	return &Message{object}
}

// compileMessage parses the texts of a message once.
func compileMessage(v any) any {
	switch v := v.(type) {
	case string:
		return NewTemplate(v)
	case map[string]any:
		object := make(map[string]any, len(v))
		for key, item := range v {
			object[key] = compileMessage(item)
		}
		return object
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = compileMessage(item)
		}
		return list
	}
	return v
}

func (m *Message) valueNames() []string {
	if m == nil {
		return nil
	}
	return messageNames(m.object)
}

// MessageNames are the {names} in a message as a file has it, in a fixed order.
func MessageNames(b Body) []string { return newMessage(b).valueNames() }

func messageNames(v any) (names []string) {
	switch v := v.(type) {
	case Template:
		return v.Names()
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			names = append(names, messageNames(v[key])...)
		}
	case []any:
		for _, item := range v {
			names = append(names, messageNames(item)...)
		}
	}
	return names
}

// Fill lays m over the message that a page sent: objects are joined, anything else is
// ours. A key, or an item of a list, of which a {name} has no value is left out, and the
// page's own key, in whatever case, goes all the same. ok is false where the page sent no JSON object.
func (m *Message) Fill(sent []byte, c *credential.Credential, who Caller) (filled []byte, ok bool) {
	whole, ok := Decode(sent)
	object, isObject := whole.(map[string]any)
	if !ok || !isObject {
		return nil, false
	}
	from := onCall(c, who)
	lay(object, m.object, &from)
	return Encode(object), true
}

func lay(object, ours map[string]any, from *Values) {
	for key := range object {
		if _, same := ours[key]; !same && holdsFold(ours, key) {
			delete(object, key)
		}
	}
	for key, item := range ours {
		inner, joins := object[key].(map[string]any)
		if item, isObject := item.(map[string]any); isObject && joins {
			lay(inner, item, from)
			continue
		}
		delete(object, key)
		if filled, ok := fillMessage(item, from); ok {
			object[key] = filled
		}
	}
}

// fillMessage is a part of ours where the page sent nothing that it is joined with; false:
// a {name} has no value.
func fillMessage(ours any, from *Values) (filled any, ok bool) {
	switch ours := ours.(type) {
	case Template:
		return ours.json(from)
	case map[string]any:
		object := map[string]any{}
		lay(object, ours, from)
		return object, true
	case []any:
		list := []any{}
		for _, item := range ours {
			if filled, ok := fillMessage(item, from); ok {
				list = append(list, filled)
			}
		}
		return list, true
	}
	return ours, true
}

func holdsFold(ours map[string]any, key string) bool {
	for name := range ours {
		if strings.EqualFold(name, key) {
			return true
		}
	}
	return false
}

// json is the filled template as it goes into JSON: a value by itself keeps its type.
func (t Template) json(from *Values) (any, bool) {
	if name, whole := t.Whole(); whole {
		found := from.find(name)
		if found.secret.IsEmpty() {
			return nil, false
		}
		return found.json(), true
	}
	text, err := t.appendTo(nil, from, func(dst []byte, v value) ([]byte, bool) { return v.appendText(dst) })
	return string(text), err == nil
}
