//go:build linux

package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"coatcheck/bff/credential"
	"coatcheck/bff/session"
	"coatcheck/bff/session/store/open"
)

// atOnce is how many sign-ins are under way at once while Redis is filled.
const atOnce = 64

// fill signs people in by Coatcheck's own rules of sessions, without its door: what a
// sign-in at the door costs beside is another row. It writes their tickets into a file,
// and returns how many bytes each takes in Redis, everything included.
func fill(ctx context.Context, address string, database, count int, file string) (bytesEach float64, err error) {
	url := fmt.Sprintf("redis://%s/%d", address, database)
	opened, err := open.Store(credential.NewSecret(url), open.Options{})
	if err != nil {
		return 0, err
	}
	key, err := base64.StdEncoding.DecodeString(sealingKey)
	if err != nil {
		return 0, err
	}
	manager, err := session.NewManager(opened, session.Options{Keys: []credential.Secret{credential.NewSecret(string(key))}})
	if err != nil {
		return 0, err
	}
	before, err := used(ctx, address)
	if err != nil {
		return 0, errors.Join(err, manager.Close())
	}
	tickets, err := signInAll(ctx, manager, count)
	if err = errors.Join(err, manager.Close()); err != nil {
		return 0, err
	}
	after, err := used(ctx, address)
	return float64(after-before) / float64(count), errors.Join(err, os.WriteFile(file, []byte(strings.Join(tickets, "\n")+"\n"), 0o600))
}

func signInAll(ctx context.Context, m *session.Manager, count int) ([]string, error) {
	tickets, faults := make([]string, count), make([]error, atOnce)
	var next atomic.Int64
	var work sync.WaitGroup
	for worker := range atOnce {
		work.Go(func() {
			for i := int(next.Add(1)) - 1; i < count; i = int(next.Add(1)) - 1 {
				ticket, _, err := m.Start(ctx, person(i))
				if err != nil {
					faults[worker] = err
					return
				}
				tickets[i] = ticket.Reveal()
			}
		})
	}
	work.Wait()
	return tickets, errors.Join(faults...)
}

// person is one of many. The token is the one that the API wants; a second one, which
// stays in the session, makes the record as large as a JWT of 600 bytes does.
func person(i int) session.Start {
	jwt := strings.Repeat("A", 40) + "." + strings.Repeat("Bc3d", 129) + "." + strings.Repeat("x", 42) + "A"
	values := map[string]credential.Secret{"access_token": credential.NewSecret(token), "refresh_token": credential.NewSecret(jwt)}
	id := strconv.Itoa(i)
	return session.Start{Frontend: "bench", Subject: "person-" + id, User: fmt.Appendf(nil, `{"id":%q,"email":"person%s@example.com"}`, id, id),
		Credential: credential.New(values, time.Now().Add(10*time.Hour), time.Time{}),
		UserAgent:  "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", Address: "192.0.2.1"}
}

// used is how much memory Redis says it uses, in bytes.
func used(ctx context.Context, address string) (int, error) {
	client := redis.NewClient(&redis.Options{Addr: address})
	defer client.Close()
	text, err := client.Info(ctx, "memory").Result()
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(text, "used_memory:")
	number, _, _ := strings.Cut(rest, "\r\n")
	return strconv.Atoi(number)
}
