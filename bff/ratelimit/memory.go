package ratelimit

import (
	"context"
	"sync"
	"time"
)

// Memory is a [Store] within one process. The zero value is ready.
type Memory struct {
	mu       sync.Mutex
	accounts map[string]*account
}

// account is what is kept of one caller.
type account struct {
	tat    time.Time
	ledger map[string]entry // by replica
}

type entry struct {
	n   int
	end time.Time
}

// Borrow implements [Store].
func (m *Memory) Borrow(_ context.Context, r Request) (Grant, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.accounts[r.Key]
	if a == nil {
		a = &account{ledger: map[string]entry{}}
		if m.accounts == nil {
			m.accounts = map[string]*account{}
		}
		m.accounts[r.Key] = a
	}
	return a.borrow(r, time.Now()), nil
}

func (a *account) borrow(r Request, now time.Time) Grant {
	all := 0
	for replica, e := range a.ledger {
		if !now.Before(e.end) {
			delete(a.ledger, replica)
			continue
		}
		all += e.n
	}
	if least := now.Add(time.Duration(all) * r.Interval); a.tat.Before(least) {
		a.tat = least
	}
	others := all - a.ledger[r.Replica].n
	delete(a.ledger, r.Replica)
	n := min(r.Want, max(1, (r.Burst-others)/2))
	wait := a.tat.Sub(now) - time.Duration(r.Burst-1)*r.Interval
	if wait > r.Patience {
		return Grant{Wait: wait}
	}
	a.tat = a.tat.Add(time.Duration(n) * r.Interval)
	if r.Lease > 0 {
		a.ledger[r.Replica] = entry{n, now.Add(max(wait, 0) + time.Duration(n)*r.Interval + r.Lease)}
	}
	left := (time.Duration(r.Burst)*r.Interval - a.tat.Sub(now)) / r.Interval
	return Grant{N: n, Wait: wait, Left: max(int(left), 0)}
}
