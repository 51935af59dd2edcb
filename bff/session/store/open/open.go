// Package open makes the store that a URL names. It is apart from package store so that
// the backends can import the contracts.
package open

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/session/store"
	"coatcheck/bff/session/store/file"
	"coatcheck/bff/session/store/memory"
	"coatcheck/bff/session/store/redis"
)

// Options are what a store needs besides its URL. What is zero has the default in
// brackets.
type Options struct {
	// Log hears of the connection's troubles [nobody].
	Log *slog.Logger

	// Now is the clock of a store in this process [time.Now].
	Now func() time.Time

	// MaxBytes bounds a store in this process, in bytes [memory.DefaultMaxBytes]; see
	// [memory.Options].
	MaxBytes int64

	// Timeout bounds one question to a Redis [2s].
	Timeout time.Duration

	// Observe hears of each question to the store [nobody].
	Observe store.Observer
}

// Store makes the store that a URL names:
//
//	memory://                                        in this process, gone with it
//	file:///var/lib/coatcheck/sessions.db            in this process and a file
//	redis://user:password@host:6379/0                one Redis
//	redis-sentinel://user:password@h1,h2/mymaster/0  the master that sentinels name
//	redis-cluster://user:password@h1,h2              a Redis Cluster
//
// With rediss, rediss-sentinel and rediss-cluster the connection is TLS; the
// parameters ca, cert, key (files) and server_name belong to it. Sentinels may
// have sentinel_username and sentinel_password of their own. Special characters
// in names and passwords are percent-encoded.
//
// A Redis is not asked yet and may be away. The error never contains the URL.
func Store(url credential.Secret, o Options) (store.Store, error) {
	scheme, path, err := split(url)
	if err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	opened, err := openAt(scheme, path, url, o)
	if err == nil && o.Observe != nil {
		opened = store.Observe(opened, o.Observe)
	}
	return opened, err
}

func openAt(scheme, path string, url credential.Secret, o Options) (store.Store, error) {
	bounds := memory.Options{Now: o.Now, MaxBytes: o.MaxBytes}
	var opened store.Store
	var err error
	switch scheme {
	case "memory":
		opened = memory.Open(bounds)
	case "file":
		opened, err = file.Open(path, file.Options{Options: bounds, Log: o.Log})
	default:
		opened, err = redis.Open(url, redis.Options{Log: o.Log, Timeout: o.Timeout})
	}
	if err != nil {
		return nil, err // not the pointer that came with it
	}
	return opened, nil
}

// Check reports what is wrong with a store's URL, without the network. Its error never
// contains the URL, in which a password may stand.
func Check(url credential.Secret) error {
	scheme, _, err := split(url)
	if err == nil && redis.IsScheme(scheme) {
		err = redis.CheckURL(url)
	}
	return err
}

// HandshakeTLS shakes hands with each server that a store's URL names, and returns what
// each showed, in the order of the URL; nil for a store without TLS. It sends no
// password. A server gets three seconds.
func HandshakeTLS(ctx context.Context, url credential.Secret) ([]tls.ConnectionState, error) {
	scheme, _, err := split(url)
	if err != nil || !redis.IsScheme(scheme) {
		return nil, err
	}
	return redis.HandshakeTLS(ctx, url)
}

// split finds the kind of store. What follows a Redis's scheme is left to package redis.
func split(url credential.Secret) (scheme, path string, err error) {
	scheme, rest, found := strings.Cut(url.Reveal(), "://")
	switch {
	case found && scheme == "memory":
		if rest != "" {
			err = errors.New("session: store: nothing may follow memory://")
		}
	case found && scheme == "file":
		if !filepath.IsAbs(rest) {
			err = errors.New("session: store: file:// needs an absolute path, as in file:///var/lib/coatcheck/sessions.db")
		}
	case found && redis.IsScheme(scheme):
		rest = ""
	default:
		err = errors.New("session: store: the URL must start with memory://, file://, redis://, rediss://, redis-sentinel://, redis-cluster:// or unix://")
	}
	return scheme, rest, err
}
