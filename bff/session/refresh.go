package session

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/session/store"
)

// RefreshFunc asks the API for a new credential and returns it complete (see
// [credential.Credential.Renew]). [ErrCredentialDead], wrapped or not, says that
// the API refused the old one for good; any other error that it could not say.
type RefreshFunc func(ctx context.Context, old *credential.Credential) (*credential.Credential, error)

const (
	leaseTTL     = 3 * time.Second        // how long a holder that died blocks the others
	leaseLook    = 250 * time.Millisecond // a waiter looks again so often without news
	refreshGrace = time.Second            // for the store, beyond the API's timeout
	failureKept  = time.Second            // a failure is not tried again for so long
	blinks       = 2                      // a waiter whom the store does not answer so often in a row waits on
)

// Refresh returns the session with a credential that was renewed since s. It calls f at
// most once for all who wait, in this process and, while the store's lease holds,
// in all others; f gets timeout, and a context that the caller's leaving does not
// cancel. Waiters get what the holder wrote.
//
// No lock can promise more: a holder that dies or stalls past its lease is
// followed by another with the same stored credential. The generation fences
// what it writes: a result for an older generation is dropped.
//
// Errors: [EndedError] when the session is over, by ErrCredentialDead with the reason
// Upstream; what f returned, remembered for a second for calls that come then;
// [store.ErrUnavailable]; the error of ctx; and a wrapped
// [context.DeadlineExceeded] when somebody else's refresh took longer than
// timeout. After all but EndedError the session lives on with its old credential; after
// store.ErrUnavailable and the last two it may still get the new one, which is written when
// the store is back within ten minutes. Nothing here extends its idle time.
func (m *Manager) Refresh(ctx context.Context, s *Session, t Ticket, timeout time.Duration, f RefreshFunc) (*Session, error) {
	return m.amend(ctx, s, t, timeout, "", onlyCredential(f))
}

// Amend is [Manager.Refresh] for another change of the credential, which purpose names.
// Changes of a session happen one at a time, whatever they are for; waiters for another
// purpose get what the holder wrote, which may not be what they want, and never its
// failure.
func (m *Manager) Amend(ctx context.Context, s *Session, t Ticket, timeout time.Duration, purpose string, f RefreshFunc) (*Session, error) {
	return m.amend(ctx, s, t, timeout, purpose, onlyCredential(f))
}

// Renewal is what an API gives when a credential is renewed.
type Renewal struct {
	// Credential is complete (see [credential.Credential.Renew]).
	Credential *credential.Credential
	// User is the JSON object of the person, where the API described them anew; nil: they
	// stay as they are.
	User []byte
}

// RenewFunc is a [RefreshFunc] that may bring a newer description of the person.
type RenewFunc func(ctx context.Context, old *credential.Credential) (*Renewal, error)

// onlyCredential leaves the person as they are.
func onlyCredential(f RefreshFunc) RenewFunc {
	return func(ctx context.Context, old *credential.Credential) (*Renewal, error) {
		fresh, err := f(ctx, old)
		if fresh == nil {
			return nil, err
		}
		return &Renewal{Credential: fresh}, err
	}
}

// Renew is [Manager.Refresh] for a function that may bring a newer person.
func (m *Manager) Renew(ctx context.Context, s *Session, t Ticket, timeout time.Duration, f RenewFunc) (*Session, error) {
	return m.amend(ctx, s, t, timeout, "", f)
}

func (m *Manager) amend(ctx context.Context, s *Session, t Ticket, timeout time.Duration, purpose string, f RenewFunc) (*Session, error) {
	limit := time.NewTimer(timeout + refreshGrace)
	defer limit.Stop()
	job := &refresh{m: m, t: t, h: t.Hash(), old: s, timeout: timeout, purpose: purpose, call: f}
	for {
		if newer := m.newer(s); newer != nil && job.isDone(newer) {
			return newer, nil
		}
		fl, err := m.flights.board(ctx, job, m.clock.Elapsed())
		if err == nil {
			err = untilClosed(ctx, limit.C, fl.done)
		}
		switch {
		case err != nil:
			return nil, err
		case fl.err != nil && fl.purpose != purpose && unlessEnded(fl.err) != nil:
			// Another change failed, perhaps for the moment: it must end before ours begins.
			if err := untilClosed(ctx, limit.C, fl.ended); err != nil {
				return nil, err
			}
		case fl.err != nil || job.isDone(fl.session):
			return fl.session, fl.err
		}
	}
}

// untilClosed waits for done, within the time that a caller has.
func untilClosed(ctx context.Context, limit <-chan time.Time, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("session: refresh: %w", ctx.Err())
	case <-limit:
		return fmt.Errorf("session: refresh: %w", context.DeadlineExceeded)
	}
}

// version counts what a change for purpose replaces: a renewal is not done because
// something else was written beside the token, which any other change is.
func (s *Session) version(purpose string) uint64 {
	if purpose == "" {
		return s.renewals
	}
	return s.Generation
}

// isDone reports whether somebody has done by now what the caller wants.
func (r *refresh) isDone(now *Session) bool {
	return now.Generation > r.old.Generation && now.version(r.purpose) != r.old.version(r.purpose)
}

// refresh is the work of one flight.
type refresh struct {
	m       *Manager
	t       Ticket
	h       hash
	old     *Session // as the first caller had it
	timeout time.Duration
	purpose string // empty: a renewal
	call    RenewFunc
	flight  *flight
	owner   string // of the lease
	mine    bool   // a new credential was stored here
}

// run takes the lease, or waits until another holder has done the work.
func (r *refresh) run(ctx context.Context) (*Session, error) {
	wait, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	for waits, missed := 0, 0; ; {
		// Listening before asking: news in between must not be missed.
		news, stop := r.m.wakeUps.Wait(r.h)
		held, s, err := r.lease(wait)
		blinked := waits > 0 && missed < blinks && errors.Is(err, store.ErrUnavailable)
		if blinked || err == nil && !held && !r.isDone(s) {
			if waits++; waits == 1 {
				r.m.counts.refreshWaits.Add(1)
			}
			if blinked {
				missed++
			} else {
				missed = 0
			}
			err = r.await(wait, news)
			stop()
			if err != nil {
				return nil, err
			}
			continue
		}
		stop()
		if err != nil || r.isDone(s) {
			r.unlease(ctx, held)
			return s, err
		}
		return r.renew(ctx, s)
	}
}

// lease asks for the lease and the record in one step: after the lease was got,
// the record must be read again, or a holder's result from just before is missed.
func (r *refresh) lease(ctx context.Context) (bool, *Session, error) {
	m := r.m
	epoch, asked := m.near.Epoch(r.h), m.clock.Elapsed()
	held, value, err := m.store.Lease(ctx, m.key(r.h), r.owner, leaseTTL)
	if err != nil {
		return false, nil, store.Unavailable("refresh", err)
	}
	o := m.settings.Load()
	s, err := m.open(ctx, o, r.old.Frontend, r.t, r.h, value)
	if err == nil && o.near > 0 {
		m.near.Put(r.h, epoch, asked, s)
	}
	return held, s, err
}

// await waits for news, or until it is time to look without.
func (r *refresh) await(ctx context.Context, news <-chan struct{}) error {
	look := time.NewTimer(leaseLook)
	defer look.Stop()
	select {
	case <-news:
	case <-look.C:
	case <-ctx.Done():
		return fmt.Errorf("session: refresh: %w", ctx.Err())
	}
	return nil
}

// renew calls the API under the lease and writes what it gave.
func (r *refresh) renew(ctx context.Context, s *Session) (*Session, error) {
	stop := r.keepLease(ctx)
	defer stop()
	callCtx, cancel := context.WithTimeout(ctx, r.timeout)
	fresh, err := r.call(callCtx, s.Credential)
	cancel()
	switch {
	case err == nil && (fresh == nil || fresh.Credential == nil):
		err = errors.New("session: refresh: no credential and no error")
	case err == nil:
		next, err := r.commit(ctx, s, fresh)
		// The write gave the lease back, perhaps long before its answer came, and it may have
		// been taken again since: then it would block the next change until it runs out.
		r.unlease(ctx, stop())
		return next, err
	case errors.Is(err, ErrCredentialDead):
		return r.m.Refused(ctx, s, r.t)
	}
	stop()
	r.unlease(ctx, true)
	r.m.flights.fail(failed{r.h, r.purpose}, failure{s.version(r.purpose), err, r.m.clock.Elapsed()})
	return nil, err
}

// keepLease renews the lease while the work lasts. Its goroutine ends with stop, which may
// be called again and reports whether the lease was renewed at all. If the lease is lost
// the work goes on: the generation fences what it writes.
func (r *refresh) keepLease(ctx context.Context) (stop func() (renewed bool)) {
	over, ended, renewed := make(chan struct{}), make(chan struct{}), false
	end := sync.OnceFunc(func() { close(over) })
	go func() {
		defer close(ended)
		defer r.m.contain()
		tick := time.NewTicker(leaseTTL / 3)
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case <-ctx.Done():
				return
			case <-tick.C:
				renewed = true
				_, _, _ = r.m.store.Lease(ctx, r.m.key(r.h), r.owner, leaseTTL)
			}
		}
	}()
	// A question under way is waited for: cut off, it could reach the store behind what gives
	// the lease back.
	return func() bool { end(); <-ended; return renewed }
}

// unlease gives the lease back, so that others need not wait for its end.
func (r *refresh) unlease(ctx context.Context, held bool) {
	if held {
		_ = r.m.store.Unlease(ctx, r.m.key(r.h), r.owner, r.m.note(eventFree, r.h, "-"))
		r.m.wakeUps.Wake(r.h)
	}
}
