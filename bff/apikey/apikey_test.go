package apikey_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"coatcheck/bff/apikey"
	"coatcheck/bff/credential"
)

func TestAKeyIsOneWordThatScannersKnow(t *testing.T) {
	file, err := os.ReadFile("../../configs/gitleaks.toml")
	if err != nil {
		t.Fatal(err)
	}
	match := regexp.MustCompile(`(?m)^regex = '''(.+)'''$`).FindSubmatch(file)
	if match == nil {
		t.Fatal("gitleaks.toml has no regex")
	}
	rule := regexp.MustCompile(string(match[1]))
	seen := map[string]bool{}
	for range 1000 {
		k := apikey.New()
		text := k.Secret.Reveal()
		if len(text) != apikey.Length || apikey.Length != 53 {
			t.Fatalf("%d characters", len(text))
		}
		if got := rule.FindStringSubmatch("key = \"" + text + "\""); got == nil || got[1] != text {
			t.Fatalf("the rule finds %q in %q", got, text)
		}
		if id, ok := apikey.ID(text); !ok || id != k.ID || !strings.Contains(text, id) || seen[id] {
			t.Fatalf("id %q of %q: %v", id, text, ok)
		}
		seen[k.ID] = true
		if k.Hash != sha256.Sum256([]byte(text)) {
			t.Fatal("the hash is of something else")
		}
	}
	for _, wrong := range []string{"cchk_" + strings.Repeat("a", 47), "xcchk_" + strings.Repeat("a", 48) + "9", "cchk-" + strings.Repeat("a", 48)} {
		if rule.MatchString(" " + wrong + " ") {
			t.Errorf("the rule finds %q", wrong)
		}
	}
}

// counted is a store that counts what it is asked.
type counted struct {
	apikey.Store
	asked atomic.Int64
	away  atomic.Bool
}

var errAway = errors.New("away")

func (c *counted) Version(ctx context.Context) (uint64, error) {
	c.asked.Add(1)
	if c.away.Load() {
		return 0, errAway
	}
	return c.Store.Version(ctx)
}

func (c *counted) All(ctx context.Context) (uint64, []apikey.Record, error) {
	c.asked.Add(1)
	if c.away.Load() {
		return 0, nil, errAway
	}
	return c.Store.All(ctx)
}

// Every change of one character, at each of the 53 places, is unknown and costs no
// question to the store.
func TestEveryMutationOfAKeyIsUnknownAndAsksNobody(t *testing.T) {
	store := &counted{Store: &apikey.Memory{}}
	table := apikey.NewTable(store, time.Hour, apikey.Events{})
	k, _, err := table.Issue(t.Context(), "excel", "", 0)
	if err != nil {
		t.Fatal(err)
	}
	if e, err := table.Find(t.Context(), k.Secret); err != nil || e.Caller != "excel" || e.ID != k.ID {
		t.Fatalf("%+v %v", e, err)
	}
	before := store.asked.Load()
	text := k.Secret.Reveal()
	for i := range text {
		for _, c := range "0aZ_ \x00" {
			wrong := text[:i] + string(c) + text[i+1:]
			if wrong == text {
				continue
			}
			if _, err := table.Find(t.Context(), credential.NewSecret(wrong)); !errors.Is(err, apikey.ErrUnknown) {
				t.Fatalf("place %d: %v", i, err)
			}
		}
	}
	for _, wrong := range []string{"", text + "x", text[:52], strings.Repeat(text, 1000)} {
		if _, err := table.Find(t.Context(), credential.NewSecret(wrong)); !errors.Is(err, apikey.ErrUnknown) {
			t.Fatalf("%d bytes: %v", len(wrong), err)
		}
	}
	if store.asked.Load() != before {
		t.Errorf("the store was asked %d times", store.asked.Load()-before)
	}
}

func TestARevokedKeyIsRefusedEverywhereWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &apikey.Memory{}
		ctx, stop := context.WithCancel(t.Context())
		var tables []*apikey.Table
		var ended atomic.Int64
		for range 3 {
			table := apikey.NewTable(store, time.Second, apikey.Events{Ended: func(apikey.Entry) { ended.Add(1) }})
			tables = append(tables, table)
			go table.Run(ctx) // ends with ctx
		}
		k, _, err := tables[0].Issue(ctx, "excel", "", 0)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		synctest.Wait() // the tables ask in this very moment, too
		for i, table := range tables {
			if _, err := table.Find(ctx, k.Secret); err != nil {
				t.Fatalf("replica %d: %v", i, err)
			}
		}
		if err := tables[0].Revoke(ctx, k.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := tables[0].Find(ctx, k.Secret); !errors.Is(err, apikey.ErrUnknown) {
			t.Errorf("here: %v", err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		for i, table := range tables {
			if _, err := table.Find(ctx, k.Secret); !errors.Is(err, apikey.ErrUnknown) {
				t.Errorf("replica %d: %v", i, err)
			}
		}
		if ended.Load() != 3 {
			t.Errorf("told %d times that the key ended", ended.Load())
		}
		if err := tables[0].Revoke(ctx, k.ID); !errors.Is(err, apikey.ErrUnknown) {
			t.Errorf("revoked twice: %v", err)
		}
		stop()
	})
}

func TestWithoutItsStoreATableKnowsItsFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &counted{Store: &apikey.Memory{}}
		table := apikey.NewTable(store, time.Second, apikey.Events{})
		file, made := apikey.New(), apikey.Key{}
		table.SetFile(map[apikey.Hash]string{file.Hash: "erp"})
		made, _, err := table.Issue(t.Context(), "excel", "", 0)
		if err != nil {
			t.Fatal(err)
		}
		store.away.Store(true)
		time.Sleep(2 * time.Second)
		if e, err := table.Find(t.Context(), file.Secret); err != nil || e.Caller != "erp" || !e.InFile {
			t.Errorf("%+v %v", e, err)
		}
		if _, err := table.Find(t.Context(), made.Secret); !errors.Is(err, apikey.ErrUnavailable) {
			t.Errorf("a key that nobody can confirm: %v", err)
		}
		store.away.Store(false)
		if _, err := table.Find(t.Context(), made.Secret); err != nil {
			t.Errorf("the store is back: %v", err)
		}
	})
}

func TestRotationOverlapsAndAnEndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := apikey.NewTable(&apikey.Memory{}, time.Second, apikey.Events{})
		old, _, err := table.Issue(t.Context(), "excel", "sheet", 30*24*time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		next, r, err := table.Rotate(t.Context(), old.ID, 24*time.Hour, 0)
		if err != nil || r.Label != "sheet" || r.Caller != "excel" || !r.ExpiresAt.Equal(r.CreatedAt.Add(30*24*time.Hour)) {
			t.Fatalf("%+v %v", r, err)
		}
		time.Sleep(24*time.Hour - time.Second)
		if _, err := table.Find(t.Context(), old.Secret); err != nil {
			t.Errorf("within the overlap: %v", err)
		}
		time.Sleep(time.Second)
		if _, err := table.Find(t.Context(), old.Secret); !errors.Is(err, apikey.ErrExpired) {
			t.Errorf("after the overlap: %v", err)
		}
		if _, err := table.Find(t.Context(), next.Secret); err != nil {
			t.Errorf("the new one: %v", err)
		}
		time.Sleep(29 * 24 * time.Hour)
		if _, err := table.Find(t.Context(), next.Secret); !errors.Is(err, apikey.ErrExpired) {
			t.Errorf("at its end: %v", err)
		}
		if _, _, err := table.Rotate(t.Context(), "nobody", 0, 0); !errors.Is(err, apikey.ErrUnknown) {
			t.Errorf("rotated nothing: %v", err)
		}
	})
}

func TestALeakReportRevokes(t *testing.T) {
	table := apikey.NewTable(&apikey.Memory{}, time.Minute, apikey.Events{})
	file := apikey.New()
	table.SetFile(map[apikey.Hash]string{file.Hash: "erp"})
	a, _, _ := table.Issue(t.Context(), "excel", "", 0)
	b, _, _ := table.Issue(t.Context(), "excel", "", 0)
	n, inFile, err := table.Leaked(t.Context(), []string{"hello", a.Secret.Reveal(), apikey.New().Secret.Reveal(), file.Secret.Reveal()})
	if err != nil || n != 1 || len(inFile) != 1 || inFile[0].Caller != "erp" {
		t.Errorf("%d %v %v", n, inFile, err)
	}
	if _, err := table.Find(t.Context(), a.Secret); !errors.Is(err, apikey.ErrUnknown) {
		t.Errorf("the leaked key: %v", err)
	}
	if _, err := table.Find(t.Context(), b.Secret); err != nil {
		t.Errorf("the other: %v", err)
	}
	list, err := table.List(t.Context(), "")
	if err != nil || len(list) != 1 || list[0].Hash != (apikey.Hash{}) {
		t.Errorf("%+v %v", list, err)
	}
}

// A report may name a key that another replica made a moment ago.
func TestALeakReportRevokesAKeyOfAnotherReplica(t *testing.T) {
	store := &apikey.Memory{}
	here := apikey.NewTable(store, time.Hour, apikey.Events{})
	if err := here.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	a, _, err := apikey.NewTable(store, time.Hour, apikey.Events{}).Issue(t.Context(), "excel", "", 0)
	if err != nil {
		t.Fatal(err)
	}
	if n, _, err := here.Leaked(t.Context(), []string{a.Secret.Reveal()}); err != nil || n != 1 {
		t.Errorf("revoked %d, %v", n, err)
	}
	if list, err := here.List(t.Context(), ""); err != nil || len(list) != 0 {
		t.Errorf("left: %+v %v", list, err)
	}
}

// silent is a store that does not answer.
type silent struct{ apikey.Memory }

func (*silent) Version(context.Context) (uint64, error) { return 0, errors.New("away") }

func TestALeakReportIsNotAnsweredWithoutTheStore(t *testing.T) {
	table := apikey.NewTable(&silent{}, time.Hour, apikey.Events{})
	file := apikey.New()
	table.SetFile(map[apikey.Hash]string{file.Hash: "erp"})
	_, inFile, err := table.Leaked(t.Context(), []string{apikey.New().Secret.Reveal(), file.Secret.Reveal()})
	if !errors.Is(err, apikey.ErrUnavailable) || len(inFile) != 1 {
		t.Errorf("%v %v", inFile, err)
	}
	if n, _, err := table.Leaked(t.Context(), []string{"no key"}); err != nil || n != 0 {
		t.Errorf("nothing to look up: %d %v", n, err)
	}
}

func TestTheTableIsBounded(t *testing.T) {
	store := &apikey.Memory{}
	for range 3 {
		if err := store.Add(t.Context(), apikey.Record{ID: apikey.New().ID}, 3); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Add(t.Context(), apikey.Record{ID: "x"}, 3); !errors.Is(err, apikey.ErrFull) {
		t.Error(err)
	}
}

// hanging is a store that does not answer: each question lasts as long as it may.
type hanging struct {
	apikey.Memory
	hangs atomic.Bool
}

func (s *hanging) Version(ctx context.Context) (uint64, error) {
	if s.hangs.Load() {
		<-ctx.Done()
		return 0, ctx.Err()
	}
	return s.Memory.Version(ctx)
}

func TestCallsWaitForAHangingStoreTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &hanging{}
		table := apikey.NewTable(store, 0, apikey.Events{})
		k, _, err := table.Issue(t.Context(), "excel", "", 0)
		if err != nil {
			t.Fatal(err)
		}
		store.hangs.Store(true)
		began := time.Now()
		var calls sync.WaitGroup
		for range 50 {
			calls.Go(func() {
				if _, err := table.Find(context.Background(), k.Secret); !errors.Is(err, apikey.ErrUnavailable) {
					t.Error(err)
				}
			})
		}
		calls.Wait()
		// The question at work, of 2 s, and one for all who came after it began.
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("the last call waited %v", took)
		}
		store.hangs.Store(false)
		if _, err := table.Find(t.Context(), k.Secret); err != nil {
			t.Errorf("the store is back: %v", err)
		}
	})
}

func TestLastUseIsWrittenOnceAMinuteAndTheEndIsToldBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &apikey.Memory{}
		var near atomic.Int64
		ctx, stop := context.WithCancel(t.Context())
		table := apikey.NewTable(store, time.Second, apikey.Events{NearEnd: func(apikey.Entry, time.Duration) { near.Add(1) }})
		go table.Run(ctx) // ends with ctx
		k, _, err := table.Issue(ctx, "excel", "", 8*24*time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = table.Find(ctx, k.Secret)
		time.Sleep(61 * time.Second)
		synctest.Wait()
		_, records, _ := store.All(ctx)
		if len(records) != 1 || records[0].LastUsed.IsZero() || near.Load() != 0 {
			t.Errorf("%+v, told %d times", records, near.Load())
		}
		time.Sleep(26 * time.Hour)
		synctest.Wait()
		if near.Load() != 1 {
			t.Errorf("7 days before the end: told %d times", near.Load())
		}
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if near.Load() != 2 {
			t.Errorf("a day later: told %d times", near.Load())
		}
		stop()
	})
}

func TestWhereKeysAreRead(t *testing.T) {
	all := apikey.Places{Bearer: true, Basic: true, Headers: []string{"X-Api-Key"}, Queries: []string{"api_key"}}
	basic := func(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, c := range []struct {
		what   string
		places apikey.Places
		auth   []string
		key    []string
		target string
		want   []string
	}{
		{"nothing", all, nil, nil, "/", nil},
		{"bearer", all, []string{"Bearer k"}, nil, "/", []string{"k"}},
		{"bearer in small letters", all, []string{"bearer  k "}, nil, "/", []string{"k"}},
		{"bearer that is not read", apikey.Places{Basic: true}, []string{"Bearer k"}, nil, "/", nil},
		{"another scheme", all, []string{"Digest k"}, nil, "/", nil},
		{"password", all, []string{basic("me:k")}, nil, "/", []string{"k"}},
		{"user name with empty password", all, []string{basic("k:")}, nil, "/", []string{"k"}},
		{"user name alone", all, []string{basic("k")}, nil, "/", []string{"k"}},
		{"colons in the password", all, []string{basic("a:b:c")}, nil, "/", []string{"b:c"}},
		{"no base64", all, []string{"Basic !"}, nil, "/", []string{"!"}},
		{"empty", all, []string{"Bearer ", basic(":")}, []string{""}, "/?api_key=", nil},
		{"header", all, nil, []string{" k "}, "/", []string{"k"}},
		{"header twice", all, nil, []string{"a", "b"}, "/", []string{"a", "b"}},
		{"query", all, nil, nil, "/x?a=1&api_key=k%2B", []string{"k+"}},
		{"query, escaped name", all, nil, nil, "/x?api%5Fkey=k", []string{"k"}},
		{"query that is not read", apikey.Places{Bearer: true}, nil, nil, "/x?api_key=k", nil},
		{"two places", all, []string{"Bearer a"}, []string{"b"}, "/?api_key=c", []string{"a", "b", "c"}},
	} {
		h := http.Header{"Authorization": c.auth, "X-Api-Key": c.key}
		var got []string
		for _, p := range c.places.Read(h, c.target) {
			got = append(got, p.Value.Reveal())
		}
		if strings.Join(got, "|") != strings.Join(c.want, "|") {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
}

func TestAKeyIsCutOutOfTheQuery(t *testing.T) {
	p := apikey.Places{Queries: []string{"api_key"}}
	for target, want := range map[string]string{
		"/x": "/x", "/x?a=1": "/x?a=1", "/x?": "/x?", "/x?api_key=k": "/x", "/x?a=%20&api_key=k&b=&a=2": "/x?a=%20&b=&a=2",
		"/x?api%5fkey=k&b": "/x?b", "/x?api_key": "/x", "/x?api_keys=k": "/x?api_keys=k", "/x?api_key=a&api_key=b&c": "/x?c",
	} {
		if got := p.CutQuery(target); got != want {
			t.Errorf("%s: %s, want %s", target, got, want)
		}
	}
	if got := (apikey.Places{}).CutQuery("/x?api_key=k"); got != "/x?api_key=k" {
		t.Error(got)
	}
}

// FuzzRead: whatever stands in the places, no value of a key survives the cutting,
// and what has no checksum has no id.
func FuzzRead(f *testing.F) {
	f.Add("Bearer cchk_x", "k", "/a?api_key=1&b=2")
	f.Add("Basic "+base64.StdEncoding.EncodeToString([]byte("a:b")), "", "/?api%5Fkey=%zz")
	p := apikey.Places{Bearer: true, Basic: true, Headers: []string{"X-Api-Key"}, Queries: []string{"api_key"}}
	f.Fuzz(func(t *testing.T, authorization, key, target string) {
		list := p.Read(http.Header{"Authorization": {authorization}, "X-Api-Key": {key}}, target)
		if len(list) > 2+strings.Count(target, "&")+1 {
			t.Fatalf("%d values", len(list))
		}
		rest := p.CutQuery(target)
		for _, found := range p.Read(http.Header{}, rest) {
			t.Fatalf("%s still holds %s", rest, found.Place)
		}
		if id, ok := apikey.ID(key); ok && key[5:15] != id {
			t.Fatal(id)
		}
	})
}
