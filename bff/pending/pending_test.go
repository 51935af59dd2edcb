package pending_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/pending"
)

const callback = "https://shop.example.com/bff/callback/id"

func key(c byte) credential.Secret {
	return credential.NewSecret(string(bytes.Repeat([]byte{c}, 32)))
}

func sealer(t *testing.T, keys ...credential.Secret) *pending.Sealer {
	t.Helper()
	if keys == nil {
		keys = []credential.Secret{key('a')}
	}
	s, err := pending.NewSealer(keys)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func attempt(b pending.Browser) pending.Attempt {
	a := pending.Begin("shop.1", "id", callback, b, time.UnixMilli(1_800_000_000_000))
	age := 5 * time.Minute
	a.ReturnTo, a.Prompt, a.ACR, a.MaxAge, a.Session = "https://shop.example.com/cart#top", "login", []string{"gold"}, &age, "handle"
	return a
}

func sealed(t *testing.T, s *pending.Sealer, a pending.Attempt) string {
	t.Helper()
	state, err := s.Seal(a)
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// TestSealAndOpen: everything comes back, to the browser that it began in only.
func TestSealAndOpen(t *testing.T) {
	b, s := pending.NewBrowser(), sealer(t)
	was := attempt(b)
	state := sealed(t, s, was)
	if frontend, ok := pending.Frontend(state); !ok || frontend != "shop.1" {
		t.Error(frontend)
	}
	got, err := s.Open(state, "id", callback)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(got.ID, got.Began, got.ReturnTo, got.Prompt, got.ACR, *got.MaxAge, got.Session, got.Restarts) !=
		fmt.Sprint(was.ID, was.Began, was.ReturnTo, was.Prompt, was.ACR, *was.MaxAge, was.Session, was.Restarts) {
		t.Errorf("%+v", got)
	}
	if !got.BelongsTo(b) || got.BelongsTo(pending.NewBrowser()) || got.BelongsTo(pending.Browser{}) {
		t.Error("it belongs to another browser")
	}
	raw, err := base64.RawURLEncoding.DecodeString(state[strings.LastIndexByte(state, '.')+1:])
	if err != nil || bytes.Contains(raw, []byte(was.ReturnTo)) || len(was.ReturnTo) < 10 || len(state) > 700 {
		t.Errorf("%d characters: %s (%v)", len(state), state, err)
	}
}

// TestStateOpensNowhereElse: at another provider, redirect URI or frontend, with
// another key, or changed in any bit.
func TestStateOpensNowhereElse(t *testing.T) {
	s := sealer(t)
	state := sealed(t, s, attempt(pending.NewBrowser()))
	for what, try := range map[string]struct{ state, provider, redirect string }{
		"provider": {state, "other", callback},
		"redirect": {state, "id", "https://admin.example.com/bff/callback/id"},
		"frontend": {"admin" + strings.TrimPrefix(state, "shop.1"), "id", callback},
		"shifted":  {"shop" + strings.TrimPrefix(state, "shop.1"), "1id", callback},
		"empty":    {"", "id", callback},
		"no box":   {"shop.1.", "id", callback},
		"long":     {state + strings.Repeat("A", 5000), "id", callback},
		"padded":   {state + "=", "id", callback},
	} {
		if _, err := s.Open(try.state, try.provider, try.redirect); !errors.Is(err, pending.ErrState) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := sealer(t, key('b')).Open(state, "id", callback); !errors.Is(err, pending.ErrState) {
		t.Errorf("another key: %v", err)
	}
	dot := strings.LastIndexByte(state, '.')
	raw, _ := base64.RawURLEncoding.DecodeString(state[dot+1:])
	for i := range raw {
		spoiled := bytes.Clone(raw)
		spoiled[i] ^= 1
		if _, err := s.Open(state[:dot+1]+base64.RawURLEncoding.EncodeToString(spoiled), "id", callback); !errors.Is(err, pending.ErrState) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
}

// TestRotation: an attempt that began under the old key ends under the new one.
func TestRotation(t *testing.T) {
	state := sealed(t, sealer(t, key('a')), attempt(pending.NewBrowser()))
	if _, err := sealer(t, key('b'), key('a')).Open(state, "id", callback); err != nil {
		t.Error(err)
	}
}

// TestProofs: nonce and verifier follow from browser and attempt, and from both only.
func TestProofs(t *testing.T) {
	b := pending.NewBrowser()
	one, two := attempt(b), attempt(b)
	proofs := func(a pending.Attempt, b pending.Browser) string {
		nonce, verifier, err := a.Proofs(b)
		if err != nil || len(nonce) != 43 || verifier.Len() != 43 || nonce == verifier.Reveal() {
			t.Fatal(nonce, verifier, err)
		}
		return nonce + verifier.Reveal()
	}
	again, err := pending.ParseBrowser(b.Cookie())
	if err != nil {
		t.Fatal(err)
	}
	if proofs(one, b) != proofs(one, again) {
		t.Error("they do not come back")
	}
	if proofs(one, b) == proofs(two, b) || proofs(one, b) == proofs(one, pending.NewBrowser()) {
		t.Error("they are the same elsewhere")
	}
	if _, _, err := one.Proofs(pending.Browser{}); err == nil {
		t.Error("they are there without a cookie")
	}
	if text := fmt.Sprintf("%v %+v %#v", b, b, b); strings.Contains(text, b.Cookie()) {
		t.Error("a browser's secret prints")
	}
}

// TestRestart: once, with the same page, as another attempt.
func TestRestart(t *testing.T) {
	b := pending.NewBrowser()
	first := attempt(pending.NewBrowser())
	now := first.Began.Add(time.Hour)
	second, ok := first.Restart(b, now)
	if !ok || second.ID == first.ID || second.ReturnTo != first.ReturnTo || second.Restarts != 1 || !second.BelongsTo(b) || second.Began != now {
		t.Errorf("%+v", second)
	}
	if _, ok := second.Restart(b, now); ok {
		t.Error("it began a third time")
	}
	s := sealer(t)
	opened, err := s.Open(sealed(t, s, second), "id", callback)
	if err != nil || opened.Restarts != 1 {
		t.Error("the count was not sealed", err)
	}
}

func TestAge(t *testing.T) {
	a := attempt(pending.NewBrowser())
	for after, want := range map[time.Duration]bool{0: false, 29 * time.Minute: false, 30 * time.Minute: true, -30 * time.Second: false, -time.Hour: true} {
		if a.IsOver(a.Began.Add(after), 30*time.Minute) != want {
			t.Errorf("%v", after)
		}
	}
}

// TestTooLong: an attempt that does not fit is refused before the browser leaves.
func TestTooLong(t *testing.T) {
	a := attempt(pending.NewBrowser())
	a.ReturnTo = strings.Repeat("x", 5000)
	if _, err := sealer(t).Seal(a); !errors.Is(err, pending.ErrTooLong) {
		t.Error(err)
	}
}

func TestCookies(t *testing.T) {
	for _, bad := range []string{"", "x", strings.Repeat("A", 42), strings.Repeat("A", 44), strings.Repeat("A", 42) + "B", strings.Repeat("A", 42) + "=", strings.Repeat("é", 22)} {
		if _, err := pending.ParseBrowser(bad); !errors.Is(err, pending.ErrCookie) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// FuzzState: what opens was sealed by us, for the place where it opens.
func FuzzState(f *testing.F) {
	s, err := pending.NewSealer([]credential.Secret{key('a')})
	if err != nil {
		f.Fatal(err)
	}
	state, _ := s.Seal(attempt(pending.NewBrowser()))
	f.Add(state, "id", callback)
	f.Add("shop.AQ", "", "")
	f.Fuzz(func(t *testing.T, text, provider, redirect string) {
		a, err := s.Open(text, provider, redirect) // each process seals anew, so the text itself says nothing
		if err == nil && (provider != "id" || redirect != callback || a.Frontend != "shop.1" || a.Session != "handle") {
			t.Errorf("%q opens at %q, %q: %+v", text, provider, redirect, a)
		}
	})
}

// BenchmarkAttempt: an attempt from its beginning to its state, and back.
func BenchmarkAttempt(b *testing.B) {
	s, err := pending.NewSealer([]credential.Secret{key('a')})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		browser := pending.NewBrowser()
		a := attempt(browser)
		if _, _, err := a.Proofs(browser); err != nil {
			b.Fatal(err)
		}
		state, err := s.Seal(a)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Open(state, "id", callback); err != nil {
			b.Fatal(err)
		}
	}
}
