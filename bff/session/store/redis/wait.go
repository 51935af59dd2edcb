package redis

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	waitReplicas = 1
	waitTime     = 200 * time.Millisecond
	keepTries    = 3
)

// keep runs a script whose effect must survive a failover: a sign-in, a renewed
// credential, an ending. Where there are replicas it asks the key's own master,
// on the same connection, to WAIT for one of them. Without an acknowledgement the
// call succeeds all the same; that is counted and logged.
func (r *client) keep(ctx context.Context, script *redis.Script, keys []string, args ...any) (any, error) {
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	if !r.replicas {
		answer, err := script.Run(ctx, r.conn, keys, args...).Result()
		return answer, r.fault(err)
	}
	for try := 1; ; try++ {
		answer, err := r.keepOnce(ctx, script, keys, args)
		if err == nil || try == keepTries || !r.elsewhere(ctx, err) {
			return answer, r.fault(err)
		}
	}
}

// keepOnce sends script and WAIT in one pipeline, which is one connection. The
// script goes whole: a pipeline cannot fall back from its hash.
func (r *client) keepOnce(ctx context.Context, script *redis.Script, keys []string, args []any) (any, error) {
	node, err := r.master(ctx, keys[0])
	if err != nil {
		return nil, err
	}
	pipe := node.Pipeline()
	answer := script.Eval(ctx, pipe, keys, args...)
	acknowledged := pipe.Do(ctx, "WAIT", waitReplicas, waitTime.Milliseconds())
	_, _ = pipe.Exec(ctx) // each command has its own error
	if err := answer.Err(); err != nil {
		return nil, err
	}
	if n, err := acknowledged.Int(); err != nil || n < waitReplicas {
		r.missing()
	}
	return answer.Val(), nil
}

func (r *client) master(ctx context.Context, key string) (*redis.Client, error) {
	switch conn := r.conn.(type) {
	case *redis.ClusterClient:
		return conn.MasterForKey(ctx, key)
	case *redis.Client:
		return conn, nil
	}
	return nil, errors.New("redis: unknown kind of client")
}

// elsewhere reports whether the write should be tried again at another server,
// after it has asked where that is now. A write that was made and whose answer
// was lost is safe to repeat: each script looks at what it finds.
func (r *client) elsewhere(ctx context.Context, err error) bool {
	var reply redis.Error
	if errors.As(err, &reply) && !moved(reply.Error()) || ctx.Err() != nil {
		return false
	}
	r.lookAround()
	select {
	case <-ctx.Done():
		return false
	case <-time.After(50 * time.Millisecond):
		return true
	}
}

func moved(reply string) bool {
	for _, word := range []string{"MOVED ", "ASK ", "READONLY ", "CLUSTERDOWN ", "TRYAGAIN ", "LOADING "} {
		if strings.HasPrefix(reply, word) {
			return true
		}
	}
	return false
}

// missing counts a write that no replica acknowledged, and logs one a second.
func (r *client) missing() {
	r.unacknowledged.Add(1)
	now, last := time.Now().Unix(), r.warned.Load()
	if now != last && r.warned.CompareAndSwap(last, now) {
		r.log.Warn("no redis replica acknowledged a write: a failover now would lose it")
	}
}
