package apikey_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"coatcheck/bff/apikey"
)

// TestKeyLosesItsCaller: what began with a key ends with what made it that caller's: its
// line in the file, or, for one made at run time, the caller. Each end is told once.
func TestKeyLosesItsCaller(t *testing.T) {
	var ended []string
	table := apikey.NewTable(&apikey.Memory{}, time.Minute, apikey.Events{Ended: func(e apikey.Entry) { ended = append(ended, e.Caller) }})
	moved, kept := apikey.New(), apikey.New()
	all := func(string) bool { return true }
	table.SetFile(map[apikey.Hash]string{moved.Hash: "erp", kept.Hash: "erp"})
	table.SetCallers(all)
	made, _, err := table.Issue(t.Context(), "excel", "", 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := table.Issue(t.Context(), "other", "", 0); err != nil {
		t.Fatal(err)
	}
	entry, err := table.Find(t.Context(), moved.Secret)
	if err != nil || !table.Lives(entry.ID, "erp") || !table.Lives(made.ID, "excel") || len(ended) > 0 {
		t.Fatalf("at first: %v, ended %q", err, ended)
	}
	for range 2 {
		table.SetFile(map[apikey.Hash]string{moved.Hash: "crm", kept.Hash: "erp"})
		table.SetCallers(func(caller string) bool { return caller != "excel" })
	}
	if want := []string{"erp", "excel"}; !slices.Equal(ended, want) {
		t.Errorf("ended %q, want %q", ended, want)
	}
	if table.Lives(entry.ID, "erp") || !table.Lives(entry.ID, "crm") || table.Lives(made.ID, "excel") {
		t.Error("who lives is another than who ended")
	}
	table.SetCallers(all)
	if !table.Lives(made.ID, "excel") || len(ended) != 2 {
		t.Errorf("the caller is back: ended %q", ended)
	}
}

// TestLostKeyEnds: a key that lost its caller does not end a second time when it is revoked,
// and its end does not come near.
func TestLostKeyEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		table := apikey.NewTable(&apikey.Memory{}, time.Second, apikey.Events{
			Ended:   func(e apikey.Entry) { told = append(told, "ended "+e.Caller) },
			NearEnd: func(e apikey.Entry, _ time.Duration) { told = append(told, "near "+e.Caller) },
		})
		ids := map[string]string{}
		for caller, life := range map[string]time.Duration{"revoked": 0, "expired": time.Hour, "back": time.Hour} {
			key, _, err := table.Issue(t.Context(), caller, "", life)
			if err != nil {
				t.Fatal(err)
			}
			ids[caller] = key.ID
		}
		table.SetCallers(func(caller string) bool { return caller == "back" })
		ctx, stop := context.WithCancel(t.Context())
		go table.Run(ctx)
		time.Sleep(time.Minute)
		if err := table.Revoke(t.Context(), ids["revoked"]); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour)
		table.SetCallers(func(string) bool { return true }) // what has ended does not end again
		time.Sleep(time.Minute)
		stop()
		slices.Sort(told)
		if want := []string{"ended back", "ended expired", "ended revoked", "near back"}; !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
	})
}

// TestExpiredKeyLosesItsCaller: the end of a key is told once, also where its time was over
// before its caller went.
func TestExpiredKeyLosesItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := 0
		table := apikey.NewTable(&apikey.Memory{}, time.Minute, apikey.Events{Ended: func(apikey.Entry) { told++ }})
		key, _, err := table.Issue(t.Context(), "excel", "", time.Second)
		if err != nil || !table.Lives(key.ID, "excel") {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		table.SetCallers(func(string) bool { return false })
		if table.Lives(key.ID, "excel") || told != 0 {
			t.Errorf("told %d times", told)
		}
	})
}
