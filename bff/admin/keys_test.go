package admin_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/admin"
	"coatcheck/bff/apikey"
	"coatcheck/bff/credential"
)

// keys is an admin listener with the administration of keys only.
func keys(t *testing.T) (*apikey.Table, func(method, path, body string) (int, string)) {
	t.Helper()
	table := apikey.NewTable(&apikey.Memory{}, 0, apikey.Events{})
	web := httptest.NewServer(admin.Handler(admin.Options{Log: slog.New(slog.DiscardHandler), Draining: func() bool { return false },
		Token: func() credential.Secret { return credential.NewSecret("operator") },
		Keys: &admin.Keys{Table: table, Caller: func(name string) (time.Duration, bool) {
			return map[string]time.Duration{"short": time.Hour}[name], name == "short" || name == "excel"
		}}}))
	t.Cleanup(web.Close)
	return table, func(method, path, body string) (int, string) {
		t.Helper()
		q, _ := http.NewRequest(method, web.URL+"/admin/keys"+path, strings.NewReader(body))
		q.Header.Set("Authorization", "Bearer operator")
		a, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		if a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s: Cache-Control %q", method, path, a.Header.Get("Cache-Control"))
		}
		b, _ := io.ReadAll(a.Body)
		return a.StatusCode, string(b)
	}
}

// TestKeysOfPrograms: a key is shown once, works, is listed without a hash, rotates and
// ends.
func TestKeysOfPrograms(t *testing.T) {
	table, ask := keys(t)
	var first, second struct{ ID, Key string }
	status, body := ask("POST", "", `{"caller":"excel","label":"Ada's sheet"}`)
	if err := json.Unmarshal([]byte(body), &first); status != 201 || err != nil {
		t.Fatal(status, body)
	}
	finds := func(key string) bool {
		e, err := table.Find(t.Context(), credential.NewSecret(key))
		return err == nil && e.Caller == "excel"
	}
	if !finds(first.Key) {
		t.Error("the new key is not known")
	}
	if status, body = ask("POST", "/"+first.ID+"/rotate", ""); status != 201 {
		t.Fatal(status, body)
	}
	_ = json.Unmarshal([]byte(body), &second)
	if !finds(first.Key) || !finds(second.Key) {
		t.Error("both keys live while they overlap")
	}
	status, body = ask("GET", "?caller=excel", "")
	if status != 200 || !strings.Contains(body, first.ID) || !strings.Contains(body, `"rotated_to":"`+second.ID) || strings.Contains(body, `"hash":`) || strings.Contains(body, "cchk_") {
		t.Errorf("list: %d %s", status, body)
	}
	if status, _ = ask("DELETE", "/"+first.ID, ""); status != 204 || finds(first.Key) {
		t.Errorf("revocation: %d", status)
	}
	if status, body = ask("POST", "/leaked", `["`+second.Key+`", "x", "`+first.Key+`"]`); status != 200 || !strings.Contains(body, `"revoked":1`) || finds(second.Key) {
		t.Errorf("leak: %d %s", status, body)
	}
}

// leakReport is a leak report of n strings that are no keys.
func leakReport(n int) string { return "[" + strings.Repeat(`"x",`, n-1) + `"x"]` }

// TestKeysRefused: what is wrong is refused, and nothing is made.
func TestKeysRefused(t *testing.T) {
	table, ask := keys(t)
	for _, row := range []struct {
		method, path, body string
		want               int
	}{
		{"POST", "", ``, 400}, {"POST", "", `{`, 400}, {"POST", "", `{"caller":"excel"}}`, 400}, {"POST", "", `{"caller":"excel"}]`, 400},
		{"POST", "", `{"caller":"excel"} null`, 400}, {"POST", "/leaked", `[]]`, 400}, {"POST", "/0000000000/rotate", "{}}", 400}, {"POST", "", `{"caller":"nobody"}`, 400}, {"POST", "", `{"caller":"excel","more":1}`, 400},
		{"POST", "", `{"caller":"short","expires_in":"2h"}`, 400}, {"POST", "", `{"caller":"excel","expires_in":-1}`, 400},
		{"POST", "", `{"caller":"excel","expires_in":"soon"}`, 400}, {"POST", "", `{"caller":"excel","expires_in":9223372036854775807}`, 400},
		{"DELETE", "/0000000000", "", 404}, {"POST", "/0000000000/rotate", "{}", 404}, {"POST", "/leaked", "{}", 400},
		{"POST", "/leaked", leakReport(1001), 400}, {"POST", "/leaked", leakReport(1000), 200}, // none is left out in silence
	} {
		if status, body := ask(row.method, row.path, row.body); status != row.want {
			t.Errorf("%s %s %.80s: %d %s, want %d", row.method, row.path, row.body, status, body, row.want)
		}
	}
	if n := len(table.Entries()); n != 0 {
		t.Errorf("%d keys were made", n)
	}
	for _, expires := range []string{`3600`, `"1h"`} {
		status, body := ask("POST", "", `{"caller":"short","expires_in":`+expires+`}`)
		if status != 201 || !strings.Contains(body, "expires_at") {
			t.Errorf("expires_in %s: %d %s", expires, status, body)
		}
	}
}

// TestARotatedKeyLivesNoLongerThanItsCallersKeysMay: the configuration may have changed since
// the old key was made.
func TestARotatedKeyLivesNoLongerThanItsCallersKeysMay(t *testing.T) {
	table, ask := keys(t)
	for _, row := range []struct {
		caller     string
		life, want time.Duration
		status     int
	}{
		{"short", 0, time.Hour, 201}, {"short", 24 * time.Hour, time.Hour, 201}, {"short", time.Minute, time.Minute, 201},
		{"excel", 0, 0, 201}, {"excel", time.Minute, time.Minute, 201}, {"nobody", 0, 0, 400},
	} {
		old, _, err := table.Issue(t.Context(), row.caller, "", row.life)
		if err != nil {
			t.Fatal(err)
		}
		before := len(table.Entries())
		status, body := ask("POST", "/"+old.ID+"/rotate", "")
		if status != row.status || status == 400 && len(table.Entries()) != before {
			t.Fatalf("%s, made for %s: %d %s", row.caller, row.life, status, body)
		}
		if status == 400 {
			continue
		}
		var made struct {
			ExpiresAt time.Time `json:"expires_at"`
		}
		if err := json.Unmarshal([]byte(body), &made); err != nil {
			t.Fatal(err)
		}
		if row.want == 0 && !made.ExpiresAt.IsZero() || row.want > 0 && time.Until(made.ExpiresAt).Round(time.Minute) != row.want {
			t.Errorf("%s, made for %s: ends at %s, want %s from now", row.caller, row.life, made.ExpiresAt, row.want)
		}
	}
}
