package session

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync/atomic"
	"time"

	storage "github.com/gofiber/storage/redis/v3"
	"github.com/redis/go-redis/v9"
)

// Bounds on one conversation with Redis. go-redis's own are ten times as long, and
// a browser waits behind each.
const (
	redisDial    = 2 * time.Second
	redisAnswer  = 500 * time.Millisecond
	redisPool    = time.Second
	redisReplica = 200 * time.Millisecond // WAIT for a replica's acknowledgement
)

// redisStore is a Store in Redis: one server, what Sentinels name, or a Cluster.
// Every key of one session, and so every script, lies in one slot.
type redisStore struct {
	storage *storage.Storage // gofiber's; its Reset, which is FLUSHDB, is never called
	client  redis.UniversalClient
	log     *slog.Logger
	waits   bool // there are replicas to wait for

	unacknowledged, resubscribed atomic.Uint64
	connections                  atomic.Uint64 // made since the start
}

// openRedis makes the store. It dials nothing: a Redis that is away comes back by itself.
func openRedis(a *address, log *slog.Logger) (Store, error) {
	redis.SetLogger(redisLog{log})
	s := &redisStore{log: log, waits: a.kind != "single"}
	o := &redis.UniversalOptions{
		Addrs: a.hosts, DB: a.db, Username: a.username, Password: a.password.Reveal(), MasterName: a.master,
		IsClusterMode: a.kind == "cluster", SentinelUsername: a.query["sentinel_username"], SentinelPassword: a.query["sentinel_password"],
		ContextTimeoutEnabled: true, DialTimeout: redisDial, ReadTimeout: redisAnswer, WriteTimeout: redisAnswer,
		PoolTimeout: redisPool, MaxRetries: 1, DialerRetries: 1, MinIdleConns: 2, DisableIdentity: true,
		OnConnect: func(context.Context, *redis.Conn) error { s.connections.Add(1); return nil },
	}
	if a.tls {
		config, err := a.tlsConfig()
		if err != nil {
			return nil, err
		}
		o.TLSConfig = config
	}
	s.client = redis.NewUniversalClient(o)
	s.storage = storage.NewFromConnection(s.client)
	return s, nil
}

// tlsConfig is what the URL says of TLS: ca, cert, key, server_name.
func (a *address) tlsConfig() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: a.query["server_name"]}
	if c.ServerName == "" && a.kind == "single" {
		c.ServerName, _, _ = net.SplitHostPort(a.hosts[0])
	}
	if name := a.query["ca"]; name != "" {
		pem, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("session: store: ca: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, errors.New("session: store: ca holds no certificate")
		}
	}
	if a.query["cert"] != "" || a.query["key"] != "" {
		pair, err := tls.LoadX509KeyPair(a.query["cert"], a.query["key"])
		if err != nil {
			return nil, fmt.Errorf("session: store: cert and key: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// redisLog passes go-redis's own messages on, without their arguments.
type redisLog struct{ log *slog.Logger }

func (l redisLog) Printf(ctx context.Context, format string, _ ...any) {
	l.log.DebugContext(ctx, "redis client", "message", format)
}

// conn is the client below gofiber's storage, for what its interface cannot say.
func (s *redisStore) conn() redis.UniversalClient { return s.storage.Conn() }

func (s *redisStore) Clock(ctx context.Context) (time.Time, error) {
	return s.conn().Time(ctx).Result()
}

func (s *redisStore) Stats() StoreStats {
	return StoreStats{Unacknowledged: s.unacknowledged.Load(), Resubscribed: s.resubscribed.Load()}
}

func (s *redisStore) Close() error { return s.storage.Close() }

// acknowledge waits until a replica has what was just written under key, where there
// are replicas. Without an acknowledgement the write stands: a failover in this very
// moment may lose it, and that is said and counted.
func (s *redisStore) acknowledge(ctx context.Context, key string) {
	if !s.waits {
		return
	}
	n, err := s.waitReplica(ctx, key)
	if err != nil || n < 1 {
		s.unacknowledged.Add(1)
		s.log.WarnContext(ctx, "store: no replica acknowledged a write")
	}
}

// waitReplica asks the master that has key. WAIT speaks of the writes of its own
// connection, so that it is sent behind a small write; what other connections wrote
// before lies before that in the replication stream.
func (s *redisStore) waitReplica(ctx context.Context, key string) (int64, error) {
	node := s.client
	if c, ok := s.client.(*redis.ClusterClient); ok {
		master, err := c.MasterForKey(ctx, key)
		if err != nil {
			return 0, err
		}
		node = master
	}
	var wait *redis.IntCmd
	_, err := node.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.Set(ctx, key+":w", "", time.Millisecond)
		wait = redis.NewIntCmd(ctx, "WAIT", 1, redisReplica.Milliseconds())
		return p.Process(ctx, wait)
	})
	if err != nil {
		return 0, err
	}
	return wait.Val(), nil
}
