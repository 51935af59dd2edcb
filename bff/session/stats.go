package session

import (
	"errors"
	"sync/atomic"

	"coatcheck/bff/session/store"
)

// Stats counts since the start of the process.
type Stats struct {
	NearHits, NearMisses uint64            // answered by the near cache, or not
	Touches              uint64            // extensions written
	Started              uint64            // sessions that began here
	Ended                map[Reason]uint64 // sessions that this replica ended, by reason
	Refreshes            map[string]uint64 // renewals of credentials, by outcome
	RefreshWaits         uint64            // renewals that waited for another replica's
	EndedAgain           uint64            // sessions that came back and were ended again
	Watched              int               // sessions with running streams, now
	store.Stats
}

type counts struct {
	nearHits, nearMisses, touches, endedAgain, started, refreshWaits atomic.Uint64
	ended                                                            [len(countedEndings)]atomic.Uint64
	refreshes                                                        [len(refreshOutcomes)]atomic.Uint64
}

// countedEndings are the reasons that somebody ends a session for. Of one that runs
// out nobody hears: it is gone from the store at its time.
var countedEndings = [...]Reason{SignedOut, Revoked, Upstream}

// refreshOutcomes are what becomes of a renewal: a new credential was stored, another
// replica had done it, the API refused it, or it could not be done now.
var refreshOutcomes = [...]string{"renewed", "overtaken", "refused", "failed"}

func (c *counts) endedFor(why Reason) {
	for i, r := range countedEndings {
		if r == why {
			c.ended[i].Add(1)
		}
	}
}

// refreshed counts one renewal by how it ended.
func (c *counts) refreshed(mine bool, err error) {
	var ended EndedError
	outcome := 3
	switch {
	case err == nil && mine:
		outcome = 0
	case err == nil:
		outcome = 1
	case errors.As(err, &ended):
		outcome = 2
	}
	c.refreshes[outcome].Add(1)
}

// Stats returns what has been counted, for metrics.
func (m *Manager) Stats() Stats {
	c := &m.counts
	ended, refreshes := map[Reason]uint64{}, map[string]uint64{}
	for i, r := range countedEndings {
		ended[r] = c.ended[i].Load()
	}
	for i, o := range refreshOutcomes {
		refreshes[o] = c.refreshes[i].Load()
	}
	return Stats{
		NearHits: c.nearHits.Load(), NearMisses: c.nearMisses.Load(), Touches: c.touches.Load(),
		Started: c.started.Load(), Ended: ended, Refreshes: refreshes, RefreshWaits: c.refreshWaits.Load(), EndedAgain: c.endedAgain.Load(),
		Watched: len(m.watches.All()), Stats: m.store.Stats(),
	}
}
