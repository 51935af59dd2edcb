package apikey_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"coatcheck/bff/apikey"
)

// ending is a table that runs, and the ids whose end it told.
func ending(ctx context.Context, store apikey.Store) (*apikey.Table, func() []string) {
	told := make(chan string, 100)
	table := apikey.NewTable(store, time.Second, apikey.Events{Ended: func(e apikey.Entry) { told <- e.ID }})
	go table.Run(ctx) // ends with ctx
	return table, func() (ids []string) {
		synctest.Wait()
		for len(told) > 0 {
			ids = append(ids, <-told)
		}
		return ids
	}
}

func TestARecordGoes30DaysAfterItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		store, old, forever := &apikey.Memory{}, apikey.New(), apikey.New()
		end := time.Now().Add(10*time.Minute - 30*24*time.Hour)
		for _, r := range []apikey.Record{{ID: old.ID, Caller: "excel", Hash: old.Hash, ExpiresAt: end}, {ID: forever.ID, Caller: "excel", Hash: forever.Hash}} {
			if err := store.Add(ctx, r, 10); err != nil {
				t.Fatal(err)
			}
		}
		table, ends := ending(ctx, store)
		other, ended := ending(ctx, store)
		time.Sleep(10*time.Minute - time.Second)
		if list, err := table.List(ctx, ""); len(list) != 2 || err != nil {
			t.Errorf("before its time: %+v, %v", list, err)
		}
		time.Sleep(2 * time.Minute)
		for name, one := range map[string]*apikey.Table{"one": table, "another": other} {
			if list, err := one.List(ctx, ""); err != nil || len(list) != 1 || list[0].ID != forever.ID {
				t.Errorf("%s, after 30 days: %+v, %v", name, list, err)
			}
			if n := len(one.Entries()); n != 1 {
				t.Errorf("%s, after 30 days: knows %d keys", name, n)
			}
		}
		if got := append(ends(), ended()...); len(got) != 0 {
			t.Errorf("told by processes that began after the end: %q", got)
		}
	})
}

func TestAKeyThatIsRevokedAfterItsEndTellsItOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		table, ends := ending(ctx, &apikey.Memory{})
		key, _, err := table.Issue(ctx, "excel", "", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour)
		if err := table.Revoke(ctx, key.ID); err != nil {
			t.Fatal(err)
		}
		if got := ends(); len(got) != 1 || got[0] != key.ID {
			t.Errorf("told of %q", got)
		}
	})
}
