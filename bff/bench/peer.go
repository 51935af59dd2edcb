//go:build linux

package main

import (
	"context"
	"flag"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/redis/go-redis/v9"
)

// session puts a value into Redis.
func (b *bench) session(key, value string) error {
	client := redis.NewClient(&redis.Options{Addr: b.redis})
	defer client.Close()
	return client.Set(context.Background(), key, value, 0).Err()
}

// servePeer is what people build by hand in Go: the standard library's reverse proxy
// behind the best-known session library, sessions in Redis.
func servePeer(args []string) error {
	flags := flag.NewFlagSet("peer", flag.ExitOnError)
	listen := flags.String("listen", "", "address")
	api := flags.String("api", "", "URL")
	store := flags.String("redis", "", "address")
	_ = flags.Parse(args) // exits
	target, err := url.Parse(*api)
	if err != nil {
		return err
	}
	sessions := scs.New()
	sessions.Store = redisStore{redis.NewClient(&redis.Options{Addr: *store})}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Header.Del("Cookie")
			r.Out.Header.Set("Authorization", "Bearer "+sessions.GetString(r.In.Context(), "token"))
		},
		Transport: &http.Transport{MaxIdleConnsPerHost: 256},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) { sessions.Put(r.Context(), "token", token) })
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if !sessions.Exists(r.Context(), "token") {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		proxy.ServeHTTP(w, r)
	})
	return http.ListenAndServe(*listen, sessions.LoadAndSave(mux))
}

// redisStore keeps the library's sessions.
type redisStore struct{ client *redis.Client }

func (s redisStore) Find(ticket string) ([]byte, bool, error) {
	b, err := s.client.Get(context.Background(), "go:"+ticket).Bytes()
	if err == redis.Nil {
		return nil, false, nil
	}
	return b, err == nil, err
}

func (s redisStore) Commit(ticket string, b []byte, until time.Time) error {
	return s.client.Set(context.Background(), "go:"+ticket, b, time.Until(until)).Err()
}

func (s redisStore) Delete(ticket string) error {
	return s.client.Del(context.Background(), "go:"+ticket).Err()
}
