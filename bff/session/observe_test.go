package session_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/session"
	"coatcheck/bff/session/store/open"
)

// TestLiveEstimate: every kind of store tells about how many sessions it holds.
func TestLiveEstimate(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{"memory": "memory://", "file": "file://" + t.TempDir() + "/s.db", "redis": startServer(t).URL()} {
		var mu sync.Mutex
		operations := map[string]int{}
		st, err := open.Store(credential.NewSecret(url), open.Options{Timeout: time.Minute,
			Observe: func(operation string, _ time.Duration, failed bool) {
				if failed {
					t.Errorf("%s: %s failed", name, operation)
				}
				mu.Lock()
				defer mu.Unlock()
				operations[operation]++
			}})
		if err != nil {
			t.Fatal(err)
		}
		m, err := session.NewManager(st, session.Options{Keys: []credential.Secret{credential.NewSecret("0123456789abcdef0123456789abcdef")}})
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			if _, _, err := m.Start(context.Background(), session.Start{Frontend: "shop", Subject: "ada", Credential: &credential.Credential{}}); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := m.Live(context.Background()); err != nil || n < 15 || n > 21 || name != "redis" && n != 20 {
			t.Errorf("%s: about %d live, %v", name, n, err)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		if operations["create"] != 20 || operations["index"] < 20 {
			t.Errorf("%s: observed %v", name, operations)
		}
	}
}
