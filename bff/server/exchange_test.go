package server_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"coatcheck/bff/freeport"
	"coatcheck/bff/rig"
	"coatcheck/upstream/demo/provider"
)

// exchanged is a house whose API "other" gets tokens of its own; it counts how often the
// provider was asked for one.
type exchanged struct {
	*atProvider
	asked int // under mu
}

func openExchange(t *testing.T, o provider.Options, change func(string) string) *exchanged {
	t.Helper()
	x := &exchanged{}
	x.atProvider = openAtProviderOf(t, o, func(yaml string) string {
		yaml = replaced(yaml, `other: {url: "${API}/other"}`, `other: {url: "${API}/other", exchange: {audience: orders, scopes: [read]}}`)
		yaml = replaced(yaml, "upstream: other, rewrite: /}", "upstream: other, rewrite: /, send_token: true}")
		if change != nil {
			yaml = change(yaml)
		}
		return yaml
	})
	x.recorded(func() {
		x.record = func(r *http.Request) {
			if r.URL.Path == "/token" && strings.HasSuffix(r.FormValue("grant_type"), ":token-exchange") {
				x.asked++
			}
		}
	})
	return x
}

// times returns how often a token was asked for since the last time.
func (x *exchanged) times() (n int) {
	x.recorded(func() { n, x.asked = x.asked, 0 })
	return n
}

// tokens are those that the API behind path got, in the order of the calls.
func (x *exchanged) tokens(path string) (all []string) {
	for _, c := range x.api.Calls() {
		if strings.HasPrefix(c.URI, path) {
			all = append(all, strings.TrimPrefix(c.Header.Get("Authorization"), "Bearer "))
		}
	}
	return all
}

// audience is whom the provider gave a token for.
func (x *exchanged) audience(token string) string {
	g, alive := x.provider.Introspect(token)
	if !alive {
		return "dead"
	}
	return g.Audience
}

// TestExchange: the second API gets a token of its own, asked for once, however many calls
// come at once, and kept in the session; the first API gets the session's, as ever.
func TestExchange(t *testing.T) {
	x := openExchange(t, provider.Options{}, nil)
	cookie := x.signInAt("ada@id.test")
	var calls sync.WaitGroup
	for range 12 {
		calls.Go(func() { x.want(x.call("GET /other/things", shop, cookie), 200, "") })
	}
	calls.Wait()
	x.want(x.call("GET /api/orders", shop, cookie), 200, "")
	tokens, own := x.tokens("/other/"), x.tokens("/api/")
	if len(tokens) != 12 || len(own) != 1 {
		t.Fatalf("%d and %d calls", len(tokens), len(own))
	}
	for _, token := range tokens {
		if token != tokens[0] || x.audience(token) != "orders" {
			t.Errorf("the second API got %q for %q", token, x.audience(token))
		}
	}
	if x.audience(own[0]) != "" || own[0] == tokens[0] {
		t.Errorf("the first API got a token for %q", x.audience(own[0]))
	}
	if n := x.times(); n != 1 {
		t.Errorf("asked %d times", n)
	}
	first := true
	x.api.Say(func(w http.ResponseWriter, r *http.Request) {
		if first && strings.HasPrefix(r.URL.Path, "/other/") {
			first = false
			w.WriteHeader(401)
		}
	})
	x.want(x.call("GET /other/things", shop, cookie), 200, "")
	again := x.tokens("/other/")
	if last := again[len(again)-1]; len(again) != 14 || again[12] != tokens[0] || last == tokens[0] || x.audience(last) != "orders" || x.times() != 1 {
		t.Errorf("behind a 401: %d calls", len(again))
	}
}

// TestExchangeRenewed: what was exchanged goes with the token that it was made of.
func TestExchangeRenewed(t *testing.T) {
	x := openExchange(t, provider.Options{}, nil)
	cookie := x.signInAt("ada@id.test")
	x.want(x.call("GET /other/things", shop, cookie), 200, "")
	first := true
	x.api.Say(func(w http.ResponseWriter, r *http.Request) {
		if first {
			first = false
			w.WriteHeader(401)
		}
	})
	x.want(x.call("GET /api/orders", shop, cookie), 200, "") // refused, renewed, repeated
	x.want(x.call("GET /other/things", shop, cookie), 200, "")
	if tokens := x.tokens("/other/"); len(tokens) != 2 || tokens[0] == tokens[1] || x.audience(tokens[1]) != "orders" || x.times() != 2 {
		t.Errorf("%q", tokens)
	}
}

// TestExchangeInTheFleet: replicas share what one of them got, and none asks beside it.
func TestExchangeInTheFleet(t *testing.T) {
	x := openExchange(t, provider.Options{}, func(yaml string) string {
		return replaced(yaml, `"${STORE}"`, `"`+redisURL+`"`)
	})
	cookie := x.signInAt("ada@id.test")
	second := &house{t: t, api: x.api, logs: new(rig.Buffer)}
	second.build(x.config)
	var calls sync.WaitGroup
	for range 6 {
		for _, h := range []*house{x.house, second} {
			calls.Go(func() { h.want(h.call("GET /other/things", shop, cookie), 200, "") })
		}
	}
	calls.Wait()
	if n := x.times(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// TestExchangeRefused: each failure has a code, and no API sees another's token.
func TestExchangeRefused(t *testing.T) {
	x := openExchange(t, provider.Options{}, nil)
	for _, row := range []struct {
		sin    provider.Sin
		status int
		code   string
	}{
		{provider.ExchangeRefused, 403, "exchange_refused"}, {provider.TokenError500, 502, "exchange_failed"},
		{provider.TokenGarbage, 502, "exchange_failed"}, {provider.RefreshThrottled, 200, ""},
	} {
		cookie := x.signInAt("ada@id.test")
		x.provider.Commit(row.sin)
		got := x.call("GET /other/things", shop, cookie)
		x.want(got, row.status, row.code)
		if said, _ := lineOf(x.house, got); row.status == 403 && said != "exchange_refused: the provider says invalid_target" {
			t.Errorf("the line says %q", said) // the provider's own words stand in the event alone
		}
		x.want(x.call("GET /api/orders", shop, cookie), 200, "") // the session lives
		x.provider.Commit()
	}
	x.want(x.call("GET /other/things", shop, x.signIn("bob@example.com")), 403, "exchange_refused") // by form: nobody exchanges that
	for _, outcome := range []string{"refused", "failed"} {
		if !strings.Contains(x.logs.String(), `"event":"exchange","outcome":"`+outcome+`"`) {
			t.Errorf("the log does not say that an exchange was %s", outcome)
		}
	}
	if tokens := x.tokens("/other/"); len(tokens) != 1 || x.audience(tokens[0]) != "orders" {
		t.Errorf("the API got %q", tokens)
	}
	cookie := x.signInAt("ada@id.test")
	x.web.Close()
	freeport.Keep(t, x.web.Listener.Addr())
	x.want(x.call("GET /other/things", shop, cookie), 502, "provider_unreachable")
	x.want(x.call("GET /api/orders", shop, cookie), 200, "")
}

// TestExchangeBound: what comes of a bound token is bound to the same key.
func TestExchangeBound(t *testing.T) {
	s := openStrictAPI(t)
	x := openExchange(t, provider.Options{DPoPNonces: true}, func(yaml string) string {
		yaml = replaced(yaml, "client_id: coatcheck,", "client_id: coatcheck, dpop: required,")
		return replaced(yaml, `url: "${API}/other", exchange`, `url: "`+s.web.URL+`", dpop: true, exchange`)
	})
	s.issuer = x.provider
	cookie := x.signInAt("ada@id.test")
	x.want(x.call("GET /other/things", shop, cookie), 200, "")
	x.want(x.call("GET /other/things", shop, cookie), 200, "")
	if got := s.since(); len(got) != 2 || got[0] != "DPoP" || x.audience(s.last) != "orders" || x.times() > 2 {
		t.Errorf("%q for %q: %q", got, x.audience(s.last), s.why)
	}
}
