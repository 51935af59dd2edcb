// Package redis is the store that several replicas share: one Redis, the master that
// sentinels name, or a Redis Cluster. No other room imports a client of Redis.
package redis

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"time"

	storage "github.com/gofiber/storage/redis/v3"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"coatcheck/bff/credential"
	"coatcheck/bff/session/store"
)

// clusterLook is how old a client's picture of its cluster may become.
const clusterLook = 10 * time.Second

// Options are what a store needs besides its URL. What is zero has the default in
// brackets.
type Options struct {
	// Log hears of the connection's troubles [nobody].
	Log *slog.Logger

	// Timeout bounds one question to Redis, whatever happens meanwhile [2s].
	Timeout time.Duration
}

// Store keeps everything in a Redis: one, the master that sentinels name,
// or a cluster. Each conditional write is one script that touches one slot.
type Store struct {
	*client
	storage *storage.Storage
}

// client asks the servers: with limits, with WAIT where there are replicas, and again
// where a failover moved a key. Its errors hold nothing of what was asked.
type client struct {
	patience
	conn     redis.UniversalClient
	replicas bool // writes that must survive a failover ask WAIT
	log      *slog.Logger
	gets     gets

	connected      atomic.Bool // a connection was made since the last look
	unacknowledged atomic.Uint64
	resubscribed   atomic.Uint64
	warned         atomic.Int64 // when the last missing acknowledgement was logged
}

// Open makes the store that a URL names and connects to nothing yet: neither of the
// libraries' own constructors is used that ask the server, because they panic when it is
// away. The error never contains the URL.
func Open(url credential.Secret, o Options) (*Store, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	limit := patience(cmp.Or(o.Timeout, 2*time.Second))
	a, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	config, err := a.tlsConfig()
	if err != nil {
		return nil, err
	}
	// The library's log lines are its own affair: what matters comes as errors.
	redis.SetLogger(quiet{o.Log})
	r := &client{patience: limit, replicas: a.kind != "single", log: o.Log}
	r.conn = connect(a.kind, a.options(config, limit, func(context.Context, *redis.Conn) error {
		r.connected.Store(true)
		return nil
	}))
	r.gets.patience, r.gets.conn = limit, r.conn
	return &Store{r, storage.NewFromConnection(r.conn)}, nil
}

// connect makes the client. A cluster's picture of itself is renewed more often than
// the library does by itself, so that a failover is noticed by who writes nothing.
func connect(kind string, o *redis.UniversalOptions) redis.UniversalClient {
	if kind != "cluster" {
		return redis.NewUniversalClient(o)
	}
	c := o.Cluster()
	c.ClusterStateReloadInterval = clusterLook
	return redis.NewClusterClient(c)
}

func (a *address) options(config *tls.Config, limit patience, onConnect func(context.Context, *redis.Conn) error) *redis.UniversalOptions {
	return &redis.UniversalOptions{
		Addrs: a.hosts, MasterName: a.master, DB: a.db, IsClusterMode: a.kind == "cluster",
		Username: a.username, Password: a.password.Reveal(),
		SentinelUsername: a.query["sentinel_username"], SentinelPassword: a.query["sentinel_password"],
		TLSConfig: config, OnConnect: onConnect,
		// Without this a call waits for the socket's timeouts, whatever its own limit.
		ContextTimeoutEnabled: true,
		// A busy machine answers late; a store that is down refuses at once. A read or write
		// that hangs leaves time to try once more. Who waits for a place in the pool waits for
		// other calls, which says nothing of the store: only the question's own limit ends that.
		DialTimeout: time.Duration(limit), ReadTimeout: time.Duration(limit * 3 / 4), WriteTimeout: time.Duration(limit * 3 / 4),
		PoolTimeout: time.Duration(2 * limit), PoolSize: 64, MinIdleConns: 4, ConnMaxIdleTime: 5 * time.Minute,
		MaxRetries: 1, DialerRetries: 1,
		DisableIdentity:          true, // asks for fewer permissions
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}

// tlsConfig is nil for a connection in the clear. The server's name comes from
// the address where none is given.
func (a *address) tlsConfig() (*tls.Config, error) {
	if !a.tls {
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: a.query["server_name"]}
	if path := a.query["ca"]; path != "" {
		pem, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("session: store: ca: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, errors.New("session: store: ca: no certificate in the file")
		}
	}
	if a.query["cert"]+a.query["key"] != "" {
		pair, err := tls.LoadX509KeyPair(a.query["cert"], a.query["key"])
		if err != nil {
			return nil, fmt.Errorf("session: store: cert and key: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// quiet takes the library's log lines at debug level, without their arguments,
// in which anything could stand.
type quiet struct{ log *slog.Logger }

func (q quiet) Printf(ctx context.Context, format string, _ ...any) {
	q.log.DebugContext(ctx, "redis client", "said", format)
}

// patience is how long one question to Redis may take.
type patience time.Duration

// bounded returns a context for one question.
func (p patience) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, time.Duration(p))
}

// fault takes out of Redis's answers all but their first word: servers quote the
// command that failed, its arguments included. After any other failure a cluster
// is asked who its masters are now: the client by itself would go on calling a dead
// one until its next routine look.
func (r *client) fault(err error) error {
	var reply redis.Error
	if err == nil || errors.Is(err, redis.Nil) || errors.Is(err, context.Canceled) {
		return err
	}
	if !errors.As(err, &reply) {
		r.lookAround()
		return err
	}
	word, _, _ := strings.Cut(reply.Error(), " ")
	return fmt.Errorf("redis: %s", word)
}

// lookAround makes the client learn a cluster's masters anew, in the background.
func (r *client) lookAround() {
	if cluster, ok := r.conn.(*redis.ClusterClient); ok {
		cluster.ReloadState(context.Background())
	}
}

func (r *Store) Clock(ctx context.Context) (time.Time, error) {
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	now, err := r.conn.Time(ctx).Result()
	return now, r.fault(err)
}

func (r *Store) Stats() store.Stats {
	return store.Stats{Unacknowledged: r.unacknowledged.Load(), Resubscribed: r.resubscribed.Load()}
}

func (r *Store) Close() error { return r.fault(r.storage.Close()) }
