package command

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"coatcheck/bff/session/store/open"
	"coatcheck/configs"
	"coatcheck/upstream/signin"
)

const (
	onlineLimit  = 10 * time.Second
	clockMatters = 5 * time.Second // tokens' ends are counted by the store's clock
	renewBefore  = 14              // days: a certificate that ends sooner is worth a warning
)

// online dials the store and every upstream, and reports what they showed of
// themselves. One that cannot be reached refuses the check. A clock that is off, or a
// certificate near its end, is reported as a warning and refuses nothing.
func (p *Program) online(ctx context.Context, config *configs.Config) error {
	ups, err := signin.New(config.Upstreams, signin.Options{})
	if err != nil {
		return Failure{err}
	}
	defer ups.Close()
	failed := tell(p.Stdout, "store", func() ([]string, error) { return storeOnline(ctx, config) })
	for _, name := range slices.Sorted(maps.Keys(config.Upstreams)) {
		failed = tell(p.Stdout, "upstream "+name, func() ([]string, error) { return upstreamOnline(ctx, ups.Get(name)) }) || failed
	}
	for _, name := range slices.Sorted(maps.Keys(config.Providers)) {
		failed = tell(p.Stdout, "provider "+name, func() ([]string, error) { return providerOnline(ctx, name, config.Providers[name]) }) || failed
	}
	if failed {
		return ErrRefused
	}
	return nil
}

// tell writes what was found about one peer and reports whether it failed.
func tell(w io.Writer, who string, look func() ([]string, error)) bool {
	found, err := look()
	state := "ok"
	if err != nil {
		state, found = "FAILED", append(found, err.Error())
	}
	fmt.Fprintf(w, "%-7s %s\n", state, who)
	for _, line := range found {
		fmt.Fprintf(w, "        %s\n", printable(line))
	}
	return err != nil
}

// printable keeps what a certificate says from moving a terminal's cursor.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}

func storeOnline(ctx context.Context, config *configs.Config) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, onlineLimit)
	defer cancel()
	kind, _, _ := strings.Cut(config.Sessions.Store.Reveal(), "://")
	if kind == "file" || kind == "memory" { // nobody is dialled, and a file may be in use
		return []string{kind + "://, nothing to connect to"}, nil
	}
	states, err := open.HandshakeTLS(ctx, config.Sessions.Store)
	found := tlsLines(states...)
	if err != nil {
		return found, storeAdvice(err)
	}
	store, err := open.Store(config.Sessions.Store, open.Options{})
	if err != nil {
		return found, err
	}
	begun := time.Now()
	clock, err := store.Clock(ctx)
	took := time.Since(begun)
	if err = errors.Join(err, store.Close()); err != nil {
		return found, storeAdvice(err)
	}
	line := fmt.Sprintf("response in %s, connection setup included", milliseconds(took))
	return append([]string{line, clockLine(clock.Sub(begun.Add(took / 2)))}, found...), nil
}

func upstreamOnline(ctx context.Context, u *signin.Upstream) ([]string, error) {
	got, err := u.Probe(ctx)
	if err != nil {
		return nil, err
	}
	found := []string{fmt.Sprintf("HEAD: %d in %s", got.Status, milliseconds(got.Took))}
	if got.ClockKnown {
		found = append(found, clockLine(got.Clock))
	} else {
		found = append(found, "clock unknown: the response has no Date")
	}
	if got.TLS == nil {
		return append(found, "no TLS"), nil
	}
	return append(found, tlsLines(*got.TLS)...), nil
}

// milliseconds writes how long something took in ASCII, which is all that is printed.
func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1fms", d.Seconds()*1000)
}

// clockLine says how far a peer's clock is from ours.
func clockLine(ahead time.Duration) string {
	off := ahead.Round(10 * time.Millisecond)
	switch {
	case off.Abs() < clockMatters:
		return fmt.Sprintf("clock: %s from ours", off.Abs())
	case off > 0:
		return fmt.Sprintf("clock: %s AHEAD of ours: tokens end early; is NTP running on both?", off)
	}
	return fmt.Sprintf("clock: %s BEHIND ours: tokens are used after their end; is NTP running on both?", -off)
}

func tlsLines(states ...tls.ConnectionState) []string {
	var lines []string
	for _, s := range states {
		line := tls.VersionName(s.Version)
		if len(s.PeerCertificates) > 0 {
			leaf := s.PeerCertificates[0]
			days := int(time.Until(leaf.NotAfter).Hours() / 24)
			line += fmt.Sprintf(", certificate of %s by %s, %s left", named(leaf.Subject.CommonName, leaf.DNSNames...), named(leaf.Issuer.CommonName, leaf.Issuer.Organization...), dayCount(days))
			if days < renewBefore {
				line += ": RENEW IT"
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// named is the first name that is there.
func named(name string, others ...string) string {
	for _, n := range append([]string{name}, others...) {
		if n != "" {
			return n
		}
	}
	return "(no name)"
}

func dayCount(days int) string {
	if days == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", days)
}
