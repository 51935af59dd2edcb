package session_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/pending"
	"coatcheck/bff/session/store/storetest"
	"coatcheck/bff/session/ticket"
	"coatcheck/bff/throttle"
)

// older is what the program of commit 74eb1c1 wrote for one sign-in, one counted attempt
// and one pending sign-in, at 1 790 000 000 000 ms since 1970 under keyA.
type older struct {
	Ticket        string                       `json:"ticket"`
	ID            string                       `json:"id"`
	PendingTicket string                       `json:"pending_ticket"`
	Counted       []throttle.Counted           `json:"counted"`
	Records       map[string][]byte            `json:"records"`
	Tables        map[string]map[string][]byte `json:"tables"`
}

// TestRecordsOfAnOlderProgram: what an older program wrote opens, and lies where this
// one looks for it. The two run side by side while a fleet is updated.
func TestRecordsOfAnOlderProgram(t *testing.T) {
	var was older
	b, err := os.ReadFile("testdata/records_74eb1c1.json")
	if err == nil {
		err = json.Unmarshal(b, &was)
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, at := context.Background(), time.UnixMilli(1_790_000_000_000)
	c := storetest.NewClock(at.Add(time.Minute))
	st := openStore(t, "memory://", c)
	for key, value := range was.Records {
		if err := st.Create(ctx, key, value, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	for table, entries := range was.Tables {
		for id, entry := range entries {
			if _, err := st.AddEntry(ctx, table, id, entry, time.Hour); err != nil {
				t.Fatal(err)
			}
		}
	}
	m := (&place{&storetest.Place{Clock: c}, t}).over(st)
	own, _ := ticket.Parse([]byte(was.Ticket))
	s := find(t, m, own)
	if s.ID != was.ID || s.Subject != "ann@example.com" || string(s.User) != `{"name":"Ann"}` || s.Generation != 1 || !s.Created.Equal(at) || s.Ends.Sub(at) != 12*time.Hour ||
		s.Credential.Value(credential.AccessToken).Reveal() != "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl" ||
		s.Credential.Value(credential.RefreshToken).Reveal() != "refresh 1" || s.Credential.Expires.Sub(at) != 5*time.Minute || s.Credential.RefreshExpires.Sub(at) != 24*time.Hour {
		t.Errorf("%s opens as %+v", was.ID, *s)
	}
	entries, err := m.List(ctx, "shop", "ann@example.com")
	if err != nil || len(entries) != 1 || entries[0].ID != was.ID || entries[0].UserAgent != "Browser/1" || entries[0].Address != "192.0.2.1" {
		t.Errorf("list: %+v, %v", entries, err)
	}
	held, _ := ticket.Parse([]byte(was.PendingTicket))
	step, err := pending.New(m.Vault()).Find(ctx, "shop", held)
	if err != nil || step.Name != "otp" || step.Account != "ann@example.com" || step.Kept["mfa"].Reveal() != "token of the step" || len(step.Counted) != 1 {
		t.Errorf("pending: %+v, %v", step, err)
	}
	a, err := throttleOf(m).Attempt(ctx, "shop", "ann@example.com", netip.MustParseAddr("192.0.2.1"), tenOf5m)
	if err != nil {
		t.Fatal(err)
	}
	now, then := slices.Sorted(slices.Values(a.Counts()[0].Keys)), slices.Sorted(slices.Values(was.Counted[0].Keys))
	if !slices.Equal(now, then) {
		t.Errorf("attempts are counted under %q, and were under %q", now, then)
	}
	if !slices.Contains(slices.Collect(maps.Keys(was.Records)), storeKey(own)) {
		t.Error("the record lies elsewhere")
	}
}
