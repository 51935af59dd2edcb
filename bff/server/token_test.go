package server_test

import (
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/apikey"
	"coatcheck/bff/freeport"
	"coatcheck/upstream/demo/provider"
)

// withTokens is a house at a provider, one of whose routes people use as well as programs
// that present the provider's tokens.
func withTokens(t *testing.T, more string) *atProvider {
	return openAtProvider(t, func(text string) string {
		text = replaced(text, "    private_paths: [/internal]", `    private_paths: [/internal]
    send: {headers: {Authorization: "Bearer {access_token}", X-Caller: "{caller}", X-Caller-Key: "{caller_key}"}}
    accounts: {robot: {credential: {access_token: `+accountMark+`}}}`)
		text = replaced(text, "      - {path: /plain/", `      - {path: /both/, upstream: api, callers: [erp, crm]}
      - {path: /erp/, upstream: api, callers: [erp], session: none}
      - {path: /plain/`)
		return replaced(text, "frontends:\n", `callers:
  erp: {token: {provider: id, audiences: [coatcheck], admit: [{at: /azp, is: erp}]}, account: robot, methods: [GET], limit: {calls: 100, per: 1h}}
  crm: {token: {provider: id, audiences: [crm], admit: [{at: /azp, is: crm}, {at: /roles, is: batch}]}}
`+more+`frontends:
`)
	})
}

// accessToken makes a token that a program presents.
func (a *atProvider) accessToken(client string, change func(map[string]any)) string {
	return "Authorization: Bearer " + a.provider.LogoutToken("coatcheck", "p-robot", "", "at+jwt", func(c map[string]any) {
		delete(c, "events")
		c["azp"] = client
		if change != nil {
			change(c)
		}
	})
}

// TestTokensOfAProvider: a program is let in by a token of the provider, by nothing that
// is less than one, and the API never sees it.
func TestTokensOfAProvider(t *testing.T) {
	const begin = "eyJhbGci" // of every token here
	a := withTokens(t, "")
	crm := func(c map[string]any) { c["aud"], c["roles"] = "crm", []string{"admin", "batch"} }
	good := a.accessToken("erp", nil)
	if !strings.Contains(good, begin) {
		t.Fatalf("a token that does not begin with %s", begin)
	}
	for _, row := range []struct {
		name, request, proof string
		status               int
		code                 string
	}{
		{"erp", "GET /both/x", good, 200, ""},
		{"crm", "GET /both/x", a.accessToken("crm", crm), 200, ""},
		{"crm without its role", "GET /both/x", a.accessToken("crm", func(c map[string]any) { c["aud"] = "crm" }), 401, "caller_unknown"},
		{"crm for the other audience", "GET /both/x", a.accessToken("crm", func(c map[string]any) { c["roles"] = "batch" }), 401, "caller_unknown"},
		{"another client", "GET /both/x", a.accessToken("other", nil), 401, "caller_unknown"},
		{"over", "GET /both/x", a.accessToken("erp", func(c map[string]any) { c["exp"] = time.Now().Add(-time.Hour).Unix() }), 401, "caller_unknown"},
		{"another issuer", "GET /both/x", a.accessToken("erp", func(c map[string]any) { c["iss"] = "https://evil.example" }), 401, "caller_unknown"},
		{"changed", "GET /both/x", good[:len(good)-6] + "AAAAAA", 401, "caller_unknown"},
		{"no token", "GET /both/x", "Authorization: Bearer x", 401, "caller_unknown"},
		{"a key", "GET /both/x", bearer(apikey.New()), 401, "caller_unknown"},
		{"no proof", "GET /both/x", "", 401, "not_authenticated"},
		{"in another place", "GET /both/x", "X-Api-Key" + strings.TrimPrefix(good, "Authorization"), 401, "not_authenticated"},
		{"from a browser", "GET /both/x", good + "\r\nSec-Fetch-Mode: cors", 403, "key_in_browser"},
		{"twice", "GET /both/x", good + "\r\n" + good, 400, "two_credentials"},
		{"another route's", "GET /erp/x", a.accessToken("crm", crm), 403, "caller_not_allowed"},
		{"a method", "POST /both/x\n\n{}", good, 403, "caller_not_allowed"},
	} {
		calls := a.api.Count()
		got := a.call(row.request, row.proof)
		if got.StatusCode != row.status || got.code() != row.code {
			t.Errorf("%s: %d %s", row.name, got.StatusCode, got.code())
		}
		if (a.api.Count() > calls) != (row.status == 200) {
			t.Errorf("%s: the API was called, or not", row.name)
		}
		if got.StatusCode == 200 && strings.Contains(got.body, begin) {
			t.Errorf("%s: %s", row.name, got.body)
		}
	}
	a.want(a.call("GET /both/x", good), 200, "")
	if saw := a.api.Last(t).Header; saw.Get("Authorization") != "Bearer "+accountMark || saw.Get("X-Caller") != "erp" || saw.Get("X-Caller-Key") != "" {
		t.Errorf("the API saw %v", saw)
	}
	logs := a.logs.String()
	if strings.Contains(logs, begin) || !strings.Contains(logs, `"caller":"erp"`) || !strings.Contains(logs, `"proof":"token"`) {
		t.Error("the log names no caller, or holds a token")
	}
}

// TestTokensWithoutTheirProvider: while nobody can say which keys sign, nobody is let in
// and nobody is told that the token is wrong.
func TestTokensWithoutTheirProvider(t *testing.T) {
	a := withTokens(t, "")
	token := a.accessToken("erp", nil)
	a.web.Close()
	freeport.Keep(t, a.web.Listener.Addr())
	a.want(a.call("GET /both/x", token), 502, "provider_unreachable")
	a.want(a.call("GET /both/x", "Authorization: Bearer x"), 401, "caller_unknown")
	if a.api.Count() != 0 {
		t.Error("the API was called")
	}
}

// tokenStream begins a stream of events with a token that ends then. It returns what comes
// behind the first event; the API sends the second one, and ends, once next is closed, and
// closes left where it was left before.
func tokenStream(a *atProvider, ends time.Time, next, left chan struct{}) io.Reader {
	a.t.Helper()
	a.api.Say(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: 1\n\n")
		_ = http.NewResponseController(w).Flush()
		select {
		case <-next:
			_, _ = io.WriteString(w, "data: 2\n\n")
		case <-r.Context().Done():
			close(left)
		}
	})
	token := a.accessToken("erp", func(c map[string]any) { c["exp"] = ends.Unix() })
	_, got := a.stream("GET /both/events HTTP/1.1\r\nHost: shop.example.com\r\n" + token + "\r\n\r\n")
	first := make([]byte, len("data: 1\n\n"))
	if _, err := io.ReadFull(got.Body, first); got.StatusCode != 200 || string(first) != "data: 1\n\n" || err != nil {
		a.t.Fatalf("the stream: %d, %q, %v", got.StatusCode, first, err)
	}
	return got.Body
}

// TestStreamEndsWithItsToken: what a token began ends when the token does, unfinished.
func TestStreamEndsWithItsToken(t *testing.T) {
	a, left := withTokens(t, ""), make(chan struct{})
	ends := time.Now().Add(4 * time.Second).Truncate(time.Second) // the stream has to begin before
	rest, err := io.ReadAll(tokenStream(a, ends, nil, left))
	if err == nil || len(rest) > 0 || time.Now().Before(ends) {
		t.Errorf("the rest: %q, %v, %v before the token's end", rest, err, time.Until(ends))
	}
	<-left
}

// TestStreamOfATokenInTheSkew: a token that the skew of the clocks lets in has as much time
// for its stream, which does not end at once.
func TestStreamOfATokenInTheSkew(t *testing.T) {
	a, next := withTokens(t, ""), make(chan struct{})
	body := tokenStream(a, time.Now().Add(-2*time.Second), next, make(chan struct{}))
	close(next)
	if rest, err := io.ReadAll(body); string(rest) != "data: 2\n\n" || err != nil {
		t.Errorf("the rest: %q, %v", rest, err)
	}
}

// TestTokensAndKeys: on one route a key and a token are each what they are.
func TestTokensAndKeys(t *testing.T) {
	key := apikey.New()
	a := withTokens(t, "  excel: {keys: [\"sha256:"+hexOf(key)+"\"]}\n")
	a.want(a.call("GET /both/x", bearer(key)), 403, "caller_not_allowed")
	a.provider.Commit(provider.InvalidSigRS256)
	a.want(a.call("GET /both/x", a.accessToken("erp", nil)), 401, "caller_unknown")
}

func hexOf(k apikey.Key) string { return hex.EncodeToString(k.Hash[:]) }
