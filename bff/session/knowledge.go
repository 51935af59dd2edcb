package session

import (
	"context"

	"coatcheck/bff/session/local"
	"coatcheck/bff/session/store"
)

// knowledge is what this replica knows of sessions beside the store: its own copies of
// them, which ended lately, who waits for an event and which streams run.
type knowledge struct {
	*core
	channel string // of events
	replica string // tells own events from others'

	near      local.Near[Session]
	recent    local.Recent[Reason]
	wakeUps   local.WakeUps
	watches   local.Watches[Reason]
	counts    counts
	returning chan struct{} // holds one wish to end again what has ended
}

// nearMaxBytes bounds a replica's own copies of sessions.
const nearMaxBytes = 64 << 20

func (k *knowledge) init() {
	k.near.Init(nearMaxBytes, func(s *Session) int { return s.size })
	k.recent.Init()
	k.wakeUps.Init()
	k.watches.Init()
	k.returning = make(chan struct{}, 1)
}

// remove ends what lies under h and, if it did, tells everyone.
func (k *knowledge) remove(ctx context.Context, h hash, at uint64, why Reason) ([]byte, store.Outcome, error) {
	r := store.Removal{At: at, Reason: string(why), Note: k.endedNote(h, why)}
	value, outcome, err := k.store.Remove(ctx, k.key(h), r)
	switch {
	case err != nil:
		k.near.Drop(h) // it may have been removed all the same
	case outcome == store.Done:
		k.counts.endedFor(why)
		k.ended(h, why)
	case outcome == store.Gone:
		k.near.Drop(h)
	}
	return value, outcome, err
}

// ended takes in that a session was ended: it is remembered, so that it cannot
// come back, and over. Of other records nothing is remembered: the same ticket may
// begin anew.
func (k *knowledge) ended(h hash, reason Reason) {
	if k.kind == kindOfSessions {
		k.recent.Add(h, reason, k.clock.Elapsed())
	}
	k.over(h, reason)
}

// over takes in that there is no such session now: the near cache forgets it,
// its streams end, and who waits for its new token looks again.
func (k *knowledge) over(h hash, reason Reason) {
	k.near.Drop(h)
	k.wakeUps.Wake(h)
	k.watches.Tell(h, reason)
}

// endAgain removes a session that had ended and was brought back, by a failover
// to a server that had not heard of its end.
func (k *knowledge) endAgain(ctx context.Context, h hash, reason Reason) error {
	_, outcome, err := k.remove(ctx, h, 0, reason)
	if err == nil && outcome == store.Done {
		k.counts.endedAgain.Add(1)
		k.securityEvent("session_came_back", "reason", string(reason))
	}
	return err
}
