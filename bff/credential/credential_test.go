package credential_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/credential"
)

const mark = "MARKED-secret"

type holder struct {
	Public  credential.Secret
	private credential.Secret
	nested  *holder
	list    []credential.Secret
	byName  map[string]credential.Secret
}

// TestNothingPrintsASecret: no verb, no encoder, no logger, however deep it lies.
func TestNothingPrintsASecret(t *testing.T) {
	s := credential.NewSecret(mark)
	c := credential.New(map[string]credential.Secret{credential.AccessToken: s}, time.Now(), time.Time{})
	h := &holder{Public: s, private: s, nested: &holder{private: s}, list: []credential.Secret{s}, byName: map[string]credential.Secret{"a": s}}
	var seen strings.Builder
	for _, value := range []any{s, &s, h, *h, c, *c, []any{s}, fmt.Errorf("%v %w", s, errors.New("x"))} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T %p"} {
			fmt.Fprintf(&seen, verb+"\n", value)
		}
		if b, err := json.Marshal(value); err == nil {
			seen.Write(b)
		}
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "value", value)
		slog.New(slog.NewTextHandler(&log, nil)).Info("m", "value", value)
		seen.Write(log.Bytes())
	}
	if text := seen.String(); strings.Contains(text, mark) || strings.Contains(text, fmt.Sprintf("%x", mark)) || !strings.Contains(text, "[secret]") {
		t.Errorf("printed: %s", text)
	}
}

func TestSecret(t *testing.T) {
	s, empty := credential.NewSecret(mark), credential.NewSecret("")
	if s.Reveal() != mark || s.Len() != len(mark) || string(s.AppendReveal([]byte("x"))) != "x"+mark || s.IsEmpty() {
		t.Error("a secret loses its bytes")
	}
	if empty != (credential.Secret{}) || !empty.IsEmpty() || empty.Reveal() != "" || empty.Len() != 0 || empty.AppendReveal(nil) != nil {
		t.Error("the empty secret is not the zero value")
	}
	if !s.Equal(credential.NewSecret(mark)) || s.Equal(empty) || s.Equal(credential.NewSecret(mark+"x")) || !empty.Equal(credential.Secret{}) {
		t.Error("comparison")
	}
}

// TestRenew: what an answer lacks keeps its old value, and nothing changes in place.
func TestRenew(t *testing.T) {
	at := func(s int64) time.Time { return time.Unix(s, 0) }
	make := func(access, refresh string, ends, refreshEnds time.Time) *credential.Credential {
		values := map[string]credential.Secret{}
		if access != "" {
			values[credential.AccessToken] = credential.NewSecret(access)
		}
		if refresh != "" {
			values[credential.RefreshToken] = credential.NewSecret(refresh)
		}
		return credential.New(values, ends, refreshEnds)
	}
	old := make("a1", "r1", at(10), at(100))
	for _, row := range []struct {
		name  string
		fresh *credential.Credential
		want  *credential.Credential
	}{
		{"both", make("a2", "r2", at(20), at(200)), make("a2", "r2", at(20), at(200))},
		{"no refresh token", make("a2", "", at(20), time.Time{}), make("a2", "r1", at(20), at(100))},
		{"another refresh token without an end", make("a2", "r2", at(20), time.Time{}), make("a2", "r2", at(20), time.Time{})},
		{"the same refresh token", make("a2", "r1", at(20), time.Time{}), make("a2", "r1", at(20), at(100))},
		{"no end told", make("a2", "", time.Time{}, time.Time{}), make("a2", "r1", time.Time{}, at(100))},
		{"nothing", make("", "", time.Time{}, time.Time{}), make("a1", "r1", at(10), at(100))},
	} {
		got := old.Renew(row.fresh)
		for _, name := range []string{credential.AccessToken, credential.RefreshToken} {
			if !got.Value(name).Equal(row.want.Value(name)) {
				t.Errorf("%s: %s", row.name, name)
			}
		}
		if !got.Expires.Equal(row.want.Expires) || !got.RefreshExpires.Equal(row.want.RefreshExpires) {
			t.Errorf("%s: ends %v, %v", row.name, got.Expires, got.RefreshExpires)
		}
	}
	if old.Value(credential.AccessToken).Reveal() != "a1" || !old.CanRefresh() {
		t.Error("the old credential changed")
	}
	old.Values()[credential.AccessToken] = credential.NewSecret("x")
	if old.Value(credential.AccessToken).Reveal() != "a1" {
		t.Error("Values gives the map itself away")
	}
	var none *credential.Credential
	if !none.Value(credential.AccessToken).IsEmpty() || none.CanRefresh() {
		t.Error("no credential has values")
	}
}

// TestExchanged: tokens for other APIs are beside the session's, and go with it.
func TestExchanged(t *testing.T) {
	token := func(text string, bound bool, ends time.Time) *credential.Credential {
		values := map[string]credential.Secret{credential.AccessToken: credential.NewSecret(text)}
		if bound {
			values[credential.BoundKey] = credential.NewSecret("key")
		}
		return credential.New(values, ends, time.Time{})
	}
	end := time.UnixMilli(1_800_000_000_123)
	plain, bound := token("a", false, time.Time{}), token("a", true, time.Time{})
	c := plain.WithExchanged("orders", token("for orders", false, end)).WithExchanged("stock", token("s", true, time.Time{}))
	if got := c.Exchanged("orders"); got.Value(credential.AccessToken).Reveal() != "for orders" || !got.Expires.Equal(end) || got.IsBound() {
		t.Errorf("orders: %v %v", got, got.Expires)
	}
	if got := bound.WithExchanged("stock", token("s", true, time.Time{})).Exchanged("stock"); !got.IsBound() || !got.Expires.IsZero() {
		t.Errorf("stock: %v", got.IsBound())
	}
	if c.Exchanged("bills") != nil || plain.Exchanged("orders") != nil || (*credential.Credential)(nil).Exchanged("orders") != nil {
		t.Error("a token that nobody gave")
	}
	if got := c.WithoutExchanged(); got.Exchanged("orders") != nil || got.Value(credential.AccessToken).Reveal() != "a" || c.Exchanged("orders") == nil {
		t.Error("the old token's stay, or more than they are gone")
	}
	for _, text := range []string{"", "1", "1 ", "1 5", "1 x - t", "1 5 - ", "2 5 - t", "t"} {
		odd := credential.New(map[string]credential.Secret{"exchanged/orders": credential.NewSecret(text)}, time.Time{}, time.Time{})
		if got := odd.Exchanged("orders"); got != nil {
			t.Errorf("%q is a token", text)
		}
	}
}
