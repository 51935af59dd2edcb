package mapping_test

import (
	"bytes"
	"net/url"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/upstream/mapping"
)

// FuzzQuery: whatever a browser sends, no API that reads parameters as Go, or with ";"
// between them, as PHP or without regard to case finds more than our own value under the
// name; all other parameters stand byte for byte, in their order.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"", "?", "?a=1&ws.token=x&b", "?WS_TOKEN[]=x;c=%zz&%77s_token", "?ws+token=1&&=&;", "?+ws_token=%20", "?%00ws_token=1&ws_token%5B=1", "no mark"} {
		f.Add(seed)
	}
	send := mapping.NewSend(nil, map[string]mapping.Template{"ws_token": mapping.NewTemplate("{access_token}")}, nil, mapping.Body{})
	person := credential.New(map[string]credential.Secret{"access_token": credential.NewSecret("ours")}, time.Time{}, time.Time{})
	f.Fuzz(func(t *testing.T, query string) {
		if query != "" && query[0] != '?' {
			query = "?" + query
		}
		out := string(send.AppendQuery(nil, []byte(query), person, mapping.Caller{}))
		rest, ok := strings.CutSuffix(out, "ws_token=ours")
		if !ok || len(rest) == 0 || !strings.ContainsAny(rest[len(rest)-1:], "?&") {
			t.Fatalf("%q became %q", query, out)
		}
		rest = rest[:len(rest)-1]
		for name := range bytes.FieldsFuncSeq([]byte(strings.TrimPrefix(rest, "?")), func(r rune) bool { return r == '&' || r == ';' }) {
			key, _, _ := strings.Cut(string(name), "=")
			decoded, err := url.QueryUnescape(key)
			if err != nil {
				continue // read by nobody in the same way
			}
			decoded, _, _ = strings.Cut(strings.TrimLeft(decoded, " \t"), "\x00")
			if base, _, _ := strings.Cut(decoded, "["); base != "" {
				decoded = base
			}
			if strings.EqualFold(strings.NewReplacer(" ", "_", ".", "_").Replace(decoded), "ws_token") {
				t.Errorf("%q leaves %q", query, name)
			}
		}
		if again := string(send.AppendOthers(nil, []byte(rest))); again != rest {
			t.Errorf("%q: twice is %q, once %q", query, again, rest)
		}
		if !isSubsequence(strings.TrimPrefix(rest, "?"), strings.TrimPrefix(query, "?")) {
			t.Errorf("%q became %q: something is new", query, rest)
		}
	})
}

// isSubsequence reports whether the parameters of part stand in whole, in this order.
func isSubsequence(part, whole string) bool {
	fields := func(s string) []string {
		return strings.FieldsFunc(s, func(r rune) bool { return r == '&' || r == ';' })
	}
	all := fields(whole)
	for _, p := range fields(part) {
		for len(all) > 0 && all[0] != p {
			all = all[1:]
		}
		if len(all) == 0 {
			return false
		}
		all = all[1:]
	}
	return true
}

// FuzzMessage: what is laid over a first message is there afterwards, and under no other
// spelling of its key; what is no object is refused.
func FuzzMessage(f *testing.F) {
	for _, seed := range []string{`{}`, `{"payload":{"TOKEN":1,"x":1e400}}`, `[]`, `{"Payload":{}}`, `{"payload":null}`, "{\"paylo\u017fad\":1}", `{"a":"\ud800"}`, `{} `, `{}{}`} {
		f.Add([]byte(seed))
	}
	send := mapping.NewSend(nil, nil, nil, mapping.NewBody(map[string]any{"payload": map[string]any{"token": "{access_token}", "gone": "{refresh_token}"}}))
	person := credential.New(map[string]credential.Secret{"access_token": credential.NewSecret("ours")}, time.Time{}, time.Time{})
	f.Fuzz(func(t *testing.T, sent []byte) {
		out, ok := send.Message.Fill(sent, person, mapping.Caller{})
		before, isJSON := mapping.Decode(sent)
		if _, isObject := before.(map[string]any); ok != (isJSON && isObject) {
			t.Fatalf("%q: %v", sent, ok)
		}
		if !ok {
			return
		}
		after, isJSON := mapping.Decode(out)
		object, _ := after.(map[string]any)
		payload, _ := object["payload"].(map[string]any)
		if !isJSON || payload["token"] != "ours" {
			t.Fatalf("%q became %q", sent, out)
		}
		for key := range payload {
			if key != "token" && (strings.EqualFold(key, "token") || strings.EqualFold(key, "gone")) {
				t.Errorf("%q leaves %q", sent, key)
			}
		}
		for key := range object {
			if key != "payload" && strings.EqualFold(key, "payload") {
				t.Errorf("%q leaves %q", sent, key)
			}
		}
	})
}
