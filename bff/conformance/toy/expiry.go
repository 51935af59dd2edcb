package toy

import (
	"time"

	"coatcheck/bff/conformance/suite"
	"coatcheck/bff/conformance/world"
)

// Ends of the toy's sessions where a case asks for them. A machine that is busy must not
// reach them between two steps of a case.
const (
	toyIdle  = 4 * time.Second
	toyMost  = 6 * time.Second
	toySlack = 400 * time.Millisecond
)

// short makes sessions end soon from now on, until the next sins.
func (y *Toy) short(ending suite.Ending) (*world.World, *suite.Subject, error) {
	s := y.Subject("toy")
	if ending == suite.ByIdleness {
		s.Lives = suite.Lives{Idle: toyIdle, Slack: toySlack}
	} else {
		s.Lives = suite.Lives{Most: toyMost, Slack: toySlack}
	}
	y.mu.Lock()
	defer y.mu.Unlock()
	y.lives, y.seen = s.Lives, map[string]time.Time{}
	s.Patience = y.patience
	return y.w, s, nil
}

// Patience is how long cases wait for what a sin keeps from happening.
func (y *Toy) Patience(d time.Duration) { y.mu.Lock(); defer y.mu.Unlock(); y.patience = d }

// touch notes activity in a session.
func (y *Toy) touch(ticket string, at time.Time) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.lives.Idle > 0 {
		y.seen[ticket] = at
	}
}

// past reports whether a session has reached one of its ends.
func (y *Toy) past(ticket string, s *session) bool {
	y.mu.Lock()
	defer y.mu.Unlock()
	seen := s.Made
	if at, ok := y.seen[ticket]; ok {
		seen = at
	}
	idle := y.lives.Idle > 0 && time.Since(seen) > y.lives.Idle && !y.broken("expiry-idle")
	old := y.lives.Most > 0 && time.Since(s.Made) > y.lives.Most && !y.broken("expiry-absolute")
	return idle || old
}

// atEnd runs f when a call's session reaches its absolute end; stop forgets it.
func (c proxyCall) atEnd(sin string, f func()) (stop func() bool) {
	c.y.mu.Lock()
	most := c.y.lives.Most
	c.y.mu.Unlock()
	if most == 0 || c.session == nil || c.y.on(sin) || c.y.on("expiry-absolute") {
		return func() bool { return false }
	}
	return time.AfterFunc(time.Until(c.session.Made.Add(most)), f).Stop
}

// useless reports whether a session's token has ended for good, by what was told of it.
func (s *session) useless() bool {
	return s.Refresh == "" && s.Ends > s.Made.Unix() && s.Ends <= time.Now().Unix()
}
