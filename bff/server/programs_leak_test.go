package server_test

import (
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/rig"
)

// TestLeakOfPrograms: with the marked key, webhook secret, account password and account
// token through every path and error of programs, nothing that Coatcheck writes holds
// one of them, or what opens one.
func TestLeakOfPrograms(t *testing.T) {
	s, call := signsInItself(settings{store: redisURL})
	h := open(t, s)
	key := strings.TrimPrefix(call[1], "Authorization: Bearer ")
	var seen strings.Builder
	note := func(a answer) {
		seen.WriteString(a.Status + "\n")
		_ = a.Header.Write(&seen)
		seen.WriteString(a.body + "\n")
	}
	now := time.Now()
	body := `{"event":"` + hookSecret + `"}` // a provider that sends its secret along: it is theirs to send, and not ours to repeat
	event := signed("a", body, now)
	proof := strings.TrimPrefix(event[len(event)-1], "X-Signature: ")
	ask := func() {
		for _, request := range []string{"GET /v1/x", "GET /v1/x?api_key=" + key, "POST /v1/x\n\n" + key, "DELETE /v1/x", "GET /nothing?api_key=" + key, "TRACE /v1/x", "GET /v1/../x"} {
			for _, headers := range [][]string{{door, bearerOf(key)}, {door, "X-Api-Key: " + key}, {door, basic("x", key)}, {door, basic(key, "")}, {door, "X-Api-Key: " + key, bearerOf(key)},
				{door, bearerOf(key + "x")}, {door, bearerOf(key), "Sec-Fetch-Mode: cors"}, {door, "Cookie: api_key=" + key}, {bearerOf(key)}, {"Host: " + key + ".test"}, {door, "X-Bad: a\x01" + key}} {
				note(h.call(request, headers...))
			}
		}
		note(h.call("POST /hooks/x\n\n"+body, event...))
		note(h.call("POST /hooks/x\n\n"+body+" ", signed("b", body, now)...))
		note(h.call("POST /hooks/x\n\n"+body, signed("c", body, now.Add(-time.Hour))...))
		note(h.call("POST /hooks/x\n\n"+body, door, "X-Signature: "+hookSecret))
		note(h.call("GET /hooks/x?mode=subscribe&challenge=abc", door))
	}
	ask()
	given := h.api.Last(t)
	for _, broken := range []func(w http.ResponseWriter, r *http.Request){
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) },
		func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) },
		func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"access_token":"`+rig.TokenMark+` "}`)
		},
	} {
		h.api.Say(broken)
		ask()
	}
	h.api.Say(nil)
	dump := dumpRedis(t)
	for what, text := range map[string]string{"answers": seen.String(), "log": h.logs.String(), "store": dump} {
		// A path or a host that somebody filled with a key is theirs to log.
		text := strings.ReplaceAll(text, key+".test", "")
		marks := map[string]string{"key": key, "key's secret": key[15:47], "webhook secret": hookSecret, "account's token": rig.TokenMark, "account's refresh token": rig.RefreshMark,
			"account's password": rig.PasswordMark, "right signature of another text": hex.EncodeToString([]byte(hookSecret))}
		if what != "store" {
			marks["proof"] = proof
		}
		for name, mark := range marks {
			if i := strings.Index(text, mark); i >= 0 {
				t.Errorf("%s: the %s stands in: …%s…", what, name, text[max(0, i-80):min(len(text), i+80)])
			}
		}
	}
	if given.Header.Get("Authorization") == "" || !strings.Contains(dump, ":sa:{") || len(h.logs.String()) < 1000 {
		t.Error("nothing was searched")
	}
}

func bearerOf(key string) string { return "Authorization: Bearer " + key }
