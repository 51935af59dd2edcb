package server_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/bff/apikey"
	"coatcheck/bff/rig"
)

// accountMark is the account's token; no answer and no log line may show it.
const accountMark = "acc-MARKED"

// hookSecret signs events; it may show nowhere either.
const hookSecret = "hook-MARKED-secret-of-a-provider"

// innerSecret stands in the bodies of a caller that does not sign.
const innerSecret = "inner-secret-of-a-provider"

// withPrograms is the usual house with a door for programs, and a route of the shop that
// both people and a program use. Keys are by caller.
func withPrograms(keys map[string]apikey.Key) func(string) string {
	return func(text string) string {
		hash := func(caller string) string { h := keys[caller].Hash; return "sha256:" + hex.EncodeToString(h[:]) }
		text = replaced(text, `    private_paths: [/internal]`, `    private_paths: [/internal]
    send: {headers: {Authorization: "Bearer {access_token}", X-Caller: "{caller}", X-Caller-Key: "{caller_key}"}}
    accounts: {robot: {credential: {access_token: `+accountMark+`}}}`)
		text = replaced(text, "      - {path: /plain/", `      - {path: /both/, upstream: api, callers: [excel]}
      - {path: /events/, upstream: api, callers: [mail, inner]}
      - {path: /plain/`)
		return replaced(text, "frontends:\n", fmt.Sprintf(`callers:
  excel: {keys: ["%s"], from: [bearer, basic, {header: X-Api-Key}, {query: api_key}], account: robot, methods: [GET, HEAD]}
  far: {keys: ["%s"], addresses: [10.0.0.0/8]}
  alien: {keys: ["%s"]}
  narrow: {keys: ["%s"], from: [basic]}
  slow: {keys: ["%s"], limit: {calls: 2, per: 1h, burst: 2}}
  mail:
    signature:
      take: {id: {header: X-Id}, at: {header: X-At}}
      over: "{id}.{at}.{body}"
      by: hmac-sha256
      keys: [%s]
      proof: {header: X-Signature}
      fresh: {at: 5m}
      once: "{id}"
    handshake: [{admit: [{at: {query: mode}, is: subscribe}], take: {x: {query: challenge}}, answer: {text: "{x}"}}]
    account: robot
    max_signed: 4KiB
  inner: {signature: {by: equal, keys: [%s], proof: /secret}, account: robot}
frontends:
  programs:
    host: programs.example.com
    routes:
      - {path: /v1/, upstream: api, session: none, methods: [GET, HEAD, POST], callers: [excel, far, narrow, slow]}
      - {path: /hooks/, upstream: api, session: none, methods: [GET, POST], callers: [mail]}
`, hash("excel"), hash("far"), hash("alien"), hash("narrow"), hash("slow"), hookSecret, innerSecret))
	}
}

func newKeys() map[string]apikey.Key {
	keys := map[string]apikey.Key{}
	for _, caller := range []string{"excel", "far", "alien", "narrow", "slow"} {
		keys[caller] = apikey.New()
	}
	return keys
}

const door = "Host: programs.example.com"

func bearer(k apikey.Key) string { return "Authorization: Bearer " + k.Secret.Reveal() }

func basic(user, password string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// TestKeys: each place in which a key may stand, and each way in which a call is
// refused, in the order of the checks.
func TestKeys(t *testing.T) {
	keys := newKeys()
	h := open(t, settings{edit: withPrograms(keys)})
	excel := keys["excel"].Secret.Reveal()
	mutated := []byte(excel)
	mutated[20] ^= 1
	for _, row := range []struct {
		name, request string
		headers       []string
		status        int
		code          string
	}{
		{"bearer", "GET /v1/x", []string{bearer(keys["excel"])}, 200, ""},
		{"basic password", "GET /v1/x", []string{basic("anybody", excel)}, 200, ""},
		{"basic user", "GET /v1/x", []string{basic(excel, "")}, 200, ""},
		{"header", "GET /v1/x", []string{"x-api-key: " + excel}, 200, ""},
		{"query", "GET /v1/x?a=1&api_key=" + excel + "&b=2", nil, 200, ""},
		{"none", "GET /v1/x", nil, 401, "caller_unknown"},
		{"none, unsafe", "POST /v1/x\n\n{}", nil, 401, "caller_unknown"},
		{"wrong", "GET /v1/x", []string{"Authorization: Bearer " + string(mutated)}, 401, "caller_unknown"},
		{"no key at all", "GET /v1/x", []string{"Authorization: Bearer x"}, 401, "caller_unknown"},
		{"in a cookie", "GET /v1/x", []string{"Cookie: api_key=" + excel}, 401, "caller_unknown"},
		{"another's place", "GET /v1/x", []string{bearer(keys["narrow"])}, 401, "caller_unknown"},
		{"its own place", "GET /v1/x", []string{basic("", keys["narrow"].Secret.Reveal())}, 200, ""},
		{"two places", "GET /v1/x", []string{bearer(keys["excel"]), "X-Api-Key: " + excel}, 400, "two_credentials"},
		{"two lines", "GET /v1/x", []string{bearer(keys["excel"]), bearer(keys["excel"])}, 400, "two_credentials"},
		{"right and wrong", "GET /v1/x", []string{bearer(keys["excel"]), "X-Api-Key: x"}, 400, "two_credentials"},
		{"from a browser", "GET /v1/x", []string{bearer(keys["excel"]), "Sec-Fetch-Mode: cors"}, 403, "key_in_browser"},
		{"wrong, from a browser", "GET /v1/x", []string{"X-Api-Key: x", "Sec-Fetch-Site: none"}, 403, "key_in_browser"},
		{"from a page", "GET /v1/x", []string{bearer(keys["excel"]), "Origin: https://evil.example"}, 403, "key_in_browser"},
		{"from no page's origin", "GET /v1/x", []string{"X-Api-Key: x", "Origin: null"}, 403, "key_in_browser"},
		{"two, from a page", "GET /v1/x", []string{bearer(keys["excel"]), "X-Api-Key: x", "Origin: https://evil.example"}, 400, "two_credentials"},
		{"none, from a page", "GET /v1/x", []string{"Origin: https://evil.example"}, 403, "origin_not_allowed"},
		{"nowhere, from a page", "GET /elsewhere", []string{bearer(keys["excel"]), "Origin: https://evil.example"}, 403, "origin_not_allowed"},
		{"a page asks before", "OPTIONS /v1/x", []string{"Origin: https://evil.example", "Access-Control-Request-Method: GET"}, 403, "origin_not_allowed"},
		{"another route's", "GET /v1/x", []string{bearer(keys["alien"])}, 403, "caller_not_allowed"},
		{"method", "POST /v1/x\n\n{}", []string{bearer(keys["excel"])}, 403, "caller_not_allowed"},
		{"the route's method", "DELETE /v1/x", []string{bearer(keys["excel"])}, 405, "method_not_allowed"},
		{"address", "GET /v1/x", []string{bearer(keys["far"])}, 403, "caller_not_allowed"},
		{"no endpoints", "POST /bff/login\n\n{}", []string{xcsrf, json_}, 404, "not_found"},
		{"no session", "GET /bff/session", nil, 404, "not_found"},
	} {
		t.Run(row.name, func(t *testing.T) {
			before := h.api.Count()
			got := h.call(row.request, append(row.headers, door)...)
			h.want(got, row.status, row.code)
			if row.status != 200 {
				if h.api.Count() != before {
					t.Error("the API was called")
				}
				return
			}
			h.sentAsProgram(t)
			if saw := h.api.Last(t).Header; saw.Get("X-Caller-Key") != keys[saw.Get("X-Caller")].ID {
				t.Errorf("the key of %s is called %q", saw.Get("X-Caller"), saw.Get("X-Caller-Key"))
			}
			if c := got.Header.Get("Cache-Control"); !strings.Contains(c, "private") {
				t.Errorf("Cache-Control: %q", c)
			}
		})
	}
	h.hides(keys)
}

// sentAsProgram checks what the API saw of a program's call.
func (h *house) sentAsProgram(t *testing.T) {
	t.Helper()
	saw := h.api.Last(t)
	if saw.Header.Get("X-Caller") == "" || len(saw.Header.Get("X-Caller-Key")) != 10 {
		t.Errorf("caller %q, key %q", saw.Header.Get("X-Caller"), saw.Header.Get("X-Caller-Key"))
	}
	want := ""
	if saw.Header.Get("X-Caller") == "excel" {
		want = "Bearer " + accountMark
	}
	if got := saw.Header.Get("Authorization"); got != want {
		t.Errorf("Authorization: %q", got)
	}
	if text := fmt.Sprint(saw); strings.Contains(text, "cchk_") || strings.Contains(text, "api_key") || saw.Header.Get("X-Api-Key") != "" {
		t.Errorf("the API saw the key: %s", text)
	}
}

// hides checks that no log line has a key, a secret or a token in it.
func (h *house) hides(keys map[string]apikey.Key) {
	h.t.Helper()
	logs := h.logs.String()
	for name, k := range keys {
		if strings.Contains(logs, k.Secret.Reveal()) {
			h.t.Errorf("the log has the key of %s", name)
		}
	}
	for _, mark := range []string{accountMark, hookSecret, "api_key="} {
		if strings.Contains(logs, mark) {
			h.t.Errorf("the log has %s", mark)
		}
	}
}

// TestKeysOfOneCharacterOff: a mutation anywhere in a key is answered with the same
// bytes, but for the call's own id.
func TestKeysOfOneCharacterOff(t *testing.T) {
	keys := newKeys()
	h := open(t, settings{edit: withPrograms(keys)})
	text, first := keys["excel"].Secret.Reveal(), ""
	for i := range text {
		wrong := []byte(text)
		wrong[i] = map[bool]byte{true: 'x', false: 'y'}[wrong[i] != 'x']
		got := h.call("GET /v1/x", door, "Authorization: Bearer "+string(wrong))
		id := got.Header.Get("X-Request-Id")
		got.Header.Del("Date")
		seen := strings.ReplaceAll(fmt.Sprint(got.StatusCode, got.Header, got.body), id, "ID")
		if first == "" {
			first = seen
		}
		if seen != first || got.StatusCode != 401 {
			t.Errorf("character %d: %s\nfirst: %s", i, seen, first)
		}
	}
}

// TestChallenges: a program learns how to prove itself; a browser is never asked for Basic.
func TestChallenges(t *testing.T) {
	h := open(t, settings{edit: withPrograms(newKeys())})
	for _, row := range []struct {
		headers []string
		want    string
	}{
		{[]string{door}, `[Bearer realm="programs" Basic realm="programs"]`},
		{[]string{door, "Sec-Fetch-Site: none"}, `[Bearer realm="programs"]`},
		{[]string{"X-Api-Key: x"}, `[Bearer realm="shop"]`},
	} {
		path := map[bool]string{true: "GET /v1/x", false: "GET /both/x"}[row.headers[0] == door]
		got := h.call(path, row.headers...)
		h.want(got, 401, "caller_unknown")
		if list := fmt.Sprint(got.Header.Values("WWW-Authenticate")); list != row.want {
			t.Errorf("%v: %s, want %s", row.headers, list, row.want)
		}
	}
}

// TestPeopleAndPrograms: a route for both takes a session or a key, and never both; a
// wrong key does not fall back to the session.
func TestPeopleAndPrograms(t *testing.T) {
	keys := newKeys()
	h := open(t, settings{edit: withPrograms(keys)})
	cookie := h.signIn("ada")
	h.want(h.call("GET /both/x", cookie, shop), 200, "")
	if got := h.api.Last(t).Header.Get("Authorization"); !strings.HasPrefix(got, "Bearer "+rig.TokenMark) {
		t.Errorf("a person's token: %q", got)
	}
	if saw := h.api.Last(t).Header; saw.Get("X-Caller") != "" {
		t.Errorf("a person is no program: %v", saw)
	}
	h.want(h.call("GET /both/x", bearer(keys["excel"])), 200, "")
	h.sentAsProgram(t)
	h.want(h.call("GET /both/x", cookie, bearer(keys["excel"])), 400, "two_credentials")
	h.want(h.call("GET /both/x", cookie, "X-Api-Key: x"), 400, "two_credentials")
	h.want(h.call("GET /both/x", "X-Api-Key: x"), 401, "caller_unknown")
	h.want(h.call("GET /both/x"), 401, "not_authenticated")
	h.want(h.call("GET /both/x", cookie, "Origin: https://evil.example"), 403, "origin_not_allowed")
	h.want(h.call("POST /both/x\n\n{}", cookie), 403, "csrf_header_missing")
	// On other routes a key means nothing, neither a proof nor one too many, and it goes
	// no further.
	excel := keys["excel"].Secret.Reveal()
	h.want(h.call("GET /api/x?a=%2F&api_key="+excel+"&b", cookie, bearer(keys["excel"]), "X-Api-Key: "+excel), 200, "")
	if saw := h.api.Last(t); strings.Contains(fmt.Sprint(saw), excel) || !strings.HasSuffix(saw.URI, "/api/x?a=%2F&b") {
		t.Errorf("the API saw %+v", saw)
	}
	h.want(h.call("GET /api/x", bearer(keys["excel"])), 401, "not_authenticated")
}

// TestPeopleAndEvents: on a route of people a program may also show inside the body who
// calls, or by a handshake. What brings a ticket, or speaks of a browser, is a person's.
func TestPeopleAndEvents(t *testing.T) {
	h := open(t, settings{edit: withPrograms(newKeys())})
	cookie, inner := h.signIn("ada"), `{"secret":"`+innerSecret+`"}`
	for _, row := range []struct {
		name, request string
		headers       []string
		status        int
		code, caller  string
	}{
		{"a person", "GET /events/x", []string{cookie, shop}, 200, "", ""},
		{"a person's body", "POST /events/x\n\n" + inner, []string{cookie, shop, xcsrf, json_}, 200, "", ""},
		{"a person's cookie, and no page", "POST /events/x\n\n" + inner, []string{cookie, json_}, 403, "csrf_header_missing", ""},
		{"nobody", "GET /events/x", nil, 401, "not_authenticated", ""},
		{"nobody's body", "POST /events/x\n\n{}", []string{json_}, 401, "not_authenticated", ""},
		{"nobody's form", "POST /events/x\n\na=1", nil, 401, "not_authenticated", ""},
		{"nobody at a page", "POST /events/x\n\n" + inner, []string{shop, xcsrf, json_}, 401, "not_authenticated", ""},
		{"another page", "POST /events/x\n\n" + inner, []string{"Origin: https://evil.example", json_}, 403, "origin_not_allowed", ""},
		{"another page, by navigation", "GET /events/x?mode=subscribe&challenge=abc", []string{"Sec-Fetch-Site: cross-site"}, 403, "cross_site_request", ""},
		{"inside", "POST /events/x\n\n" + inner, []string{json_}, 200, "", "inner"},
		{"wrong inside", `POST /events/x` + "\n\n" + `{"secret":"x"}`, []string{json_}, 401, "signature_invalid", ""},
		{"twice inside", `POST /events/x` + "\n\n" + `{"secret":"` + innerSecret + `","secret":"x"}`, []string{json_}, 401, "signature_invalid", ""},
		{"signed", "POST /events/x\n\n{}", signed("p", "{}", time.Now())[1:], 200, "", "mail"},
		{"signed and a person", "POST /events/x\n\n{}", append(signed("p", "{}", time.Now())[1:], cookie), 400, "two_credentials", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			before := h.api.Count()
			h.want(h.call(row.request, row.headers...), row.status, row.code)
			if row.status != 200 {
				if h.api.Count() != before {
					t.Error("the API was called")
				}
				return
			}
			saw := h.api.Last(t).Header
			if saw.Get("X-Caller") != row.caller || (saw.Get("Authorization") == "Bearer "+accountMark) != (row.caller != "") {
				t.Errorf("the API saw %v", saw)
			}
		})
	}
	before := h.api.Count()
	if got := h.call("GET /events/x?mode=subscribe&challenge=abc"); got.body != "abc" || h.api.Count() != before {
		t.Errorf("a handshake: %d %q", got.StatusCode, got.body)
	}
}

// TestCallersLimit: calls over the limit are told when to come back.
func TestCallersLimit(t *testing.T) {
	keys := newKeys()
	h := open(t, settings{edit: withPrograms(keys)})
	for i := range 4 {
		got := h.call("GET /v1/x", door, bearer(keys["slow"]))
		if got.Header.Get("RateLimit") == "" || got.Header.Get("RateLimit-Policy") == "" {
			t.Errorf("call %d: headers %v", i, got.Header)
		}
		if i < 2 {
			h.want(got, 200, "")
			continue
		}
		h.want(got, 429, "too_many_requests")
		if wait, err := strconv.Atoi(got.Header.Get("Retry-After")); err != nil || wait < 1 {
			t.Errorf("Retry-After: %q", got.Header.Get("Retry-After"))
		}
	}
	h.want(h.call("GET /v1/x", door, bearer(keys["excel"])), 200, "")
}

// signed is an event as the provider sends it.
func signed(id, body string, at time.Time) []string {
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(hookSecret))
	_, _ = mac.Write([]byte(id + "." + stamp + "." + body))
	return []string{door, json_, "X-Id: " + id, "X-At: " + stamp, "X-Signature: " + hex.EncodeToString(mac.Sum(nil))}
}

// TestSignedEvents: who signs is let in once, and a change anywhere refuses the call.
func TestSignedEvents(t *testing.T) {
	for name, s := range stores() {
		t.Run(name, func(t *testing.T) {
			s.edit = withPrograms(newKeys())
			h := open(t, s)
			now := time.Now()
			body := `{"event":"delivered"}`
			h.want(h.call("POST /hooks/x\n\n"+body, signed("a", body, now)...), 200, "")
			if saw := h.api.Last(t); saw.Body != body || saw.Header.Get("Authorization") != "Bearer "+accountMark || saw.Header.Get("X-Caller") != "mail" {
				t.Errorf("the API saw %+v", saw)
			}
			calls := h.api.Count()
			again := h.call("POST /hooks/x\n\n"+body, signed("a", body, now)...)
			h.want(again, 200, "")
			if again.Header.Get("Coatcheck-Duplicate") != "true" || again.body != "" {
				t.Errorf("a replay: %v %q", again.Header, again.body)
			}
			for what, got := range map[string]answer{
				"another body": h.call("POST /hooks/x\n\n"+body+" ", signed("b", body, now)...),
				"another id":   h.call("POST /hooks/x\n\n"+body, append(signed("b", body, now)[:2], append([]string{"X-Id: c"}, signed("b", body, now)[3:]...)...)...),
				"an old event": h.call("POST /hooks/x\n\n"+body, signed("d", body, now.Add(-time.Hour))...),
				"a future one": h.call("POST /hooks/x\n\n"+body, signed("e", body, now.Add(time.Hour))...),
				"two ids":      h.call("POST /hooks/x\n\n"+body, append(signed("f", body, now), "X-Id: f")...),
			} {
				if got.StatusCode != 401 || got.code() != "signature_invalid" {
					t.Errorf("%s: %d %s", what, got.StatusCode, got.code())
				}
			}
			h.want(h.call("POST /hooks/x\n\n"+body, door, json_), 401, "caller_unknown")
			h.want(h.call("POST /hooks/x\n\n"+strings.Repeat("x", 5<<10), signed("g", strings.Repeat("x", 5<<10), now)...), 413, "body_too_large")
			if h.api.Count() != calls {
				t.Error("the API was called")
			}
			h.hides(newKeys())
		})
	}
}

// TestHandshakes: one is answered here, and never forwarded.
func TestHandshakes(t *testing.T) {
	h := open(t, settings{edit: withPrograms(newKeys())})
	got := h.call("GET /hooks/x?mode=subscribe&challenge=abc", door)
	h.want(got, 200, "")
	if got.body != "abc" || got.Header.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(got.Header.Get("Content-Type"), "text/plain") {
		t.Errorf("%v %q", got.Header, got.body)
	}
	h.want(h.call("GET /hooks/x?mode=other&challenge=abc", door), 401, "caller_unknown")
	if h.api.Count() != 0 {
		t.Error("the API was called")
	}
}

// TestEventsAreNotLost: an event that the API did not take is let in again, and one that
// is being handled is not handled twice.
func TestEventsAreNotLost(t *testing.T) {
	for name, s := range stores() {
		t.Run(name, func(t *testing.T) {
			s.edit = withPrograms(newKeys())
			h := open(t, s)
			h.api.Say(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
			event := signed("a", "{}", time.Now())
			h.want(h.call("POST /hooks/x\n\n{}", event...), 500, "")
			entered, leave := make(chan struct{}), make(chan struct{})
			h.api.Say(func(w http.ResponseWriter, _ *http.Request) { close(entered); <-leave; w.WriteHeader(202) })
			var first sync.WaitGroup
			first.Go(func() { h.want(h.call("POST /hooks/x\n\n{}", event...), 202, "") })
			<-entered
			second := h.call("POST /hooks/x\n\n{}", event...)
			close(leave)
			first.Wait()
			h.want(second, 503, "upstream_unavailable")
			if second.Header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
			h.api.Say(nil)
			if third := h.call("POST /hooks/x\n\n{}", event...); third.Header.Get("Coatcheck-Duplicate") != "true" {
				t.Errorf("after it was taken: %d %v", third.StatusCode, third.Header)
			}
			if n := h.api.Count(); n != 2 {
				t.Errorf("%d calls at the API, want 2", n)
			}
		})
	}
}

// TestUnverifiedBodiesAreBounded: bodies that strangers send for verification never hold
// more than the process's bound, are refused above it, and leave nothing behind. Without
// a proof no byte is read.
func TestUnverifiedBodiesAreBounded(t *testing.T) {
	h := open(t, settings{edit: func(text string) string {
		return replaced(withPrograms(newKeys())(text), "max_signed: 4KiB", "max_signed: 1MiB")
	}})
	const bound, most = 32 << 20, 1 << 20
	wrong := strings.Join(signed("a", "another body", time.Now())[2:], "\r\n")
	refused := make(chan string, 64)
	for range 48 {
		c, err := net.Dial("tcp", h.address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		go func() { // ends with the connection
			_, _ = io.WriteString(c, "POST /hooks/x HTTP/1.1\r\n"+door+"\r\n"+wrong+"\r\nContent-Length: "+strconv.Itoa(most)+"\r\n\r\n"+strings.Repeat("x", most-1))
			head := make([]byte, 12)
			if _, err := io.ReadFull(c, head); err == nil {
				refused <- string(head)
			}
		}()
	}
	if got := <-refused; got != "HTTP/1.1 429" {
		t.Errorf("above the bound: %s", got)
	}
	if used := h.programs.Budget.Used(); used > bound {
		t.Errorf("%d bytes are held", used)
	}
	got := h.raw("POST /hooks/x HTTP/1.1\r\n"+door+"\r\nContent-Length: 1000000\r\n\r\n", false) // and not one byte of it
	h.want(got, 401, "caller_unknown")
	rig.Until(t, "a body for which there is no room", func() bool {
		for n := int64(most); n > 0; n /= 2 { // what those who are refused give back
			for h.programs.Budget.Take(n) {
			}
		}
		return h.call("POST /hooks/x\n\n{}", signed("b", "{}", time.Now())...).code() == "too_many_requests"
	})
}

// TestSlowUnverifiedBodies: a body that nobody has verified has as much time in all as any
// other may be silent, however often a byte of it comes.
func TestSlowUnverifiedBodies(t *testing.T) {
	h := open(t, settings{edit: func(text string) string {
		return replaced(withPrograms(newKeys())(text), "body_idle: 60s", "body_idle: 1s")
	}})
	c, err := net.Dial("tcp", h.address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	wrong := strings.Join(signed("a", "another body", time.Now())[2:], "\r\n")
	_, _ = io.WriteString(c, "POST /hooks/x HTTP/1.1\r\n"+door+"\r\n"+wrong+"\r\nContent-Length: 4000\r\n\r\n")
	go func() { // ends with the connection
		for range 4000 {
			if _, err := io.WriteString(c, "x"); err != nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	}()
	head := make([]byte, 12)
	if _, err := io.ReadFull(c, head); err != nil || string(head) != "HTTP/1.1 408" {
		t.Errorf("%q, %v", head, err)
	}
	rig.Until(t, "room for others", func() bool { return h.programs.Budget.Used() == 0 })
}

// TestUnsignedBodiesAreNotRead: two hundred bodies of a megabyte at once that nobody
// signed are refused by their heads, and not a byte of them is held.
func TestUnsignedBodiesAreNotRead(t *testing.T) {
	h := open(t, settings{edit: func(text string) string {
		return replaced(withPrograms(newKeys())(text), "max_signed: 4KiB", "max_signed: 1MiB")
	}})
	const size = 1 << 20
	body := strings.Repeat("x", size)
	refused := make(chan string, 200)
	for range cap(refused) {
		c, err := net.Dial("tcp", h.address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		go func() { // ends with the connection
			_, _ = io.WriteString(c, "POST /hooks/x HTTP/1.1\r\n"+door+"\r\n"+json_+"\r\nContent-Length: "+strconv.Itoa(size)+"\r\n\r\n")
			go func() { _, _ = io.WriteString(c, body) }() // as far as it is taken
			head := make([]byte, 12)
			_, _ = io.ReadFull(c, head)
			refused <- string(head)
		}()
	}
	for range cap(refused) {
		if got := <-refused; got != "HTTP/1.1 401" {
			t.Fatalf("refused by %q", got)
		}
		if used := h.programs.Budget.Used(); used != 0 {
			t.Fatalf("%d bytes are held", used)
		}
	}
	if h.api.Count() != 0 {
		t.Error("the API was called")
	}
}
