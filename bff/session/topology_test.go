package session_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"coatcheck/bff/credential"
	"coatcheck/bff/freeport"
	"coatcheck/bff/session"
	"coatcheck/bff/session/store"
	"coatcheck/bff/session/store/open"
	"coatcheck/bff/session/store/storetest"
)

const userinfo = storetest.User + ":correct%20horse%3Abattery%40staple%2F1@"

// wholeLife takes one session through all that can happen to it.
func wholeLife(t *testing.T, a, b *session.Manager) {
	t.Helper()
	ctx := context.Background()
	ticket, s := start(t, a, ann("shop"))
	find(t, b, ticket)
	if _, err := b.Extend(ctx, "shop", ticket); err != nil {
		t.Fatal(err)
	}
	if got, err := b.Refresh(ctx, s, ticket, time.Minute, newAPI("refresh-1").refresh); err != nil || got.Generation != 2 {
		t.Fatalf("refresh: %v, %v", got, err)
	}
	if entries := list(t, a); len(entries) != 1 {
		t.Fatalf("list: %v", entries)
	}
	attempt := attempt(t, a, "ann", home, tenOf5m)
	if err := attempt.Succeeded(ctx); err != nil {
		t.Fatal(err)
	}
	told, _ := watching(b, ticket)
	if ended, err := a.End(ctx, "shop", ticket, session.SignedOut); ended == nil || ended.Generation != 2 || err != nil {
		t.Fatalf("end: %v, %v", ended, err)
	}
	if why := <-told; why != session.SignedOut {
		t.Fatalf("the stream ended for %q", why)
	}
	dead(t, b, "shop", ticket, session.SignedOut)
}

// sentinels starts a master with a replica, and three sentinels that watch it.
func sentinels(t *testing.T) (master *server, url string) {
	t.Helper()
	master = startServer(t)
	replica := startServer(t, "--replicaof", "127.0.0.1", fmt.Sprint(master.Port), "--repl-diskless-sync-delay", "0")
	raw := master.raw()
	defer raw.Close()
	eventually(t, "the replica follows", func() bool {
		return strings.Contains(raw.Info(context.Background(), "replication").Val(), "state=online")
	})
	var hosts []string
	for range 3 {
		s := newServer(t)
		file := filepath.Join(s.Dir, "sentinel.conf")
		text := fmt.Sprintf("port %d\nbind 127.0.0.1\ndir %s\nsentinel monitor mymaster 127.0.0.1 %d 2\n"+
			// A server of a busy machine may be silent for seconds and is not down.
			"sentinel down-after-milliseconds mymaster 5000\nsentinel failover-timeout mymaster 5000\n", s.Port, s.Dir, master.Port)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s.Args = []string{s.Args[0], file, "--sentinel"}
		s.Start()
		hosts = append(hosts, s.Addr())
		knows := redis.NewSentinelClient(&redis.Options{Addr: s.Addr()})
		defer knows.Close()
		eventually(t, "a sentinel knows the replica and the others", func() bool {
			replicas, err := knows.Replicas(context.Background(), "mymaster").Result()
			others, err2 := knows.Sentinels(context.Background(), "mymaster").Result()
			return err == nil && err2 == nil && len(replicas) == 1 && replicas[0]["port"] == fmt.Sprint(replica.Port) && len(others) == len(hosts)-1
		})
	}
	return master, "redis-sentinel://" + userinfo + strings.Join(hosts, ",") + "/mymaster/0"
}

// The fear: a failover needs a restart, or loses who is signed in.
func TestSentinelFailover(t *testing.T) {
	t.Parallel()
	master, url := sentinels(t)
	replica := func() store.Store { return openStore(t, url, nil) }
	p := &place{&storetest.Place{Open: replica}, t}
	a, b := p.manager(within(time.Second)), p.manager()
	heard(t, a, b)
	wholeLife(t, a, b)
	ticket, _ := start(t, a, ann("shop"))
	ended, _ := start(t, a, ann("shop"))
	if _, err := a.End(context.Background(), "shop", ended, session.SignedOut); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a write is acknowledged", func() bool { return acknowledged(a) })
	master.Replicated()
	master.Kill()
	eventually(t, "the replica is promoted and found", func() bool {
		_, _, err := a.Start(context.Background(), ann("admin"))
		return err == nil
	})
	eventually(t, "the other process finds it, too", func() bool { // each learns of it by itself
		_, err := b.Find(context.Background(), "shop", ticket)
		return err == nil
	})
	find(t, a, ticket)
	find(t, b, ticket)
	dead(t, a, "shop", ended, session.SignedOut)
	heard(t, a, b)
	if acknowledged(a) {
		t.Error("no replica is left, but a write counts as acknowledged")
	}
}

// acknowledged makes a write and reports whether a replica acknowledged it in time.
func acknowledged(m *session.Manager) bool {
	before := m.Stats().Unacknowledged
	_, _, err := m.Start(context.Background(), ann("other"))
	return err == nil && m.Stats().Unacknowledged == before
}

// cluster starts three masters with a replica each.
func cluster(t *testing.T) (nodes []*server, url string) {
	t.Helper()
	ctx := context.Background()
	slots := [][2]int{{0, 5460}, {5461, 10922}, {10923, 16383}}
	var hosts []string
	for i := range 6 {
		s := startServer(t, "--cluster-enabled", "yes", "--cluster-port", freeport.Text(t),
			"--cluster-node-timeout", "5000", "--repl-diskless-sync-delay", "0") // a busy node may be silent for seconds
		nodes, hosts = append(nodes, s), append(hosts, s.Addr())
		raw := s.raw()
		defer raw.Close()
		if i < 3 {
			if err := raw.ClusterAddSlotsRange(ctx, slots[i][0], slots[i][1]).Err(); err != nil {
				t.Fatal(err)
			}
		}
		bus := nodes[0].raw().ConfigGet(ctx, "cluster-port").Val()["cluster-port"]
		if err := raw.Do(ctx, "CLUSTER", "MEET", "127.0.0.1", nodes[0].Port, bus).Err(); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 {
		master, replica := nodes[i].raw(), nodes[3+i].raw()
		defer master.Close()
		defer replica.Close()
		id := master.ClusterMyID(ctx).Val()
		eventually(t, "a replica joins", func() bool { return replica.ClusterReplicate(ctx, id).Err() == nil })
		eventually(t, "the replica follows", func() bool {
			return strings.Contains(master.Info(ctx, "replication").Val(), "state=online")
		})
	}
	for _, s := range nodes {
		raw := s.raw()
		defer raw.Close()
		eventually(t, "the cluster stands", func() bool {
			view := raw.ClusterNodes(ctx).Val()
			return strings.Contains(raw.ClusterInfo(ctx).Val(), "cluster_state:ok") &&
				strings.Count(view, " connected") == 6 && strings.Count(view, "slave") == 3
		})
	}
	return nodes, "redis-cluster://" + userinfo + strings.Join(hosts[:3], ",")
}

func TestClusterFailover(t *testing.T) {
	t.Parallel()
	nodes, url := cluster(t)
	replica := func() store.Store { return openStore(t, url, nil) }
	p := &place{&storetest.Place{Open: replica}, t}
	a, b := p.manager(), p.manager()
	heard(t, a, b)
	// Each life has three writes that ask for an acknowledgement, and the lives are on
	// all of the nodes. On another node than the key's own no acknowledgement would ever
	// come, so two thirds would be missing; a busy machine misses some, and not each time.
	eventually(t, "most writes are acknowledged", func() bool {
		before := a.Stats().Unacknowledged + b.Stats().Unacknowledged
		for range 20 {
			wholeLife(t, a, b)
		}
		return a.Stats().Unacknowledged+b.Stats().Unacknowledged-before <= 20
	})
	var tickets []session.Ticket
	for range 30 {
		ticket, _ := start(t, a, ann("shop"))
		tickets = append(tickets, ticket)
	}
	nodes[0].Replicated()
	nodes[0].Kill()
	for _, ticket := range tickets {
		eventually(t, "a session is found after the failover", func() bool {
			_, err := a.Find(context.Background(), "shop", ticket)
			if err != nil && !errors.Is(err, store.ErrUnavailable) {
				t.Fatalf("find: %v", err)
			}
			return err == nil
		})
	}
	eventually(t, "sign-ins work", func() bool {
		for range 10 {
			if _, _, err := a.Start(context.Background(), ann("shop")); err != nil {
				return false
			}
		}
		return true
	})
	eventually(t, "the other replica finds its way too", func() bool {
		_, err := b.List(context.Background(), "shop", "ann@example.com")
		return err == nil
	})
	heard(t, a, b)
	if n, err := b.EndAll(context.Background(), "shop", "ann@example.com"); err != nil || n < 30 {
		t.Fatalf("end all: %d, %v", n, err)
	}
}

// TLS with a certificate of one's own authority, and one for the client.
func TestRedisOverTLS(t *testing.T) {
	dir := t.TempDir()
	ca, cert, key := certificate(t, dir)
	s := newServer(t, "--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", ca)
	tlsPort := freeport.Number(t)
	s.Args = append(s.Args, "--tls-port", fmt.Sprint(tlsPort))
	s.Start()
	host := fmt.Sprintf("127.0.0.1:%d/0", tlsPort)
	p := &place{&storetest.Place{Open: func() store.Store {
		return openStore(t, "rediss://"+userinfo+host+"?ca="+ca+"&cert="+cert+"&key="+key, nil)
	}}, t}
	a, b := p.manager(), p.manager()
	heard(t, a, b)
	wholeLife(t, a, b)
	for name, url := range map[string]string{
		"unknown authority":     "rediss://" + userinfo + host + "?cert=" + cert + "&key=" + key,
		"no client certificate": "rediss://" + userinfo + host + "?ca=" + ca,
		"another server's name": "rediss://" + userinfo + host + "?ca=" + ca + "&cert=" + cert + "&key=" + key + "&server_name=other.example",
		"in the clear":          "redis://" + userinfo + host,
	} {
		m := p.over(openStore(t, url, nil))
		if err := m.Ping(context.Background()); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, url := range map[string]string{
		"no such file":        "rediss://h?ca=" + filepath.Join(dir, "none"),
		"not a certificate":   "rediss://h?ca=" + key,
		"a key that is none":  "rediss://h?cert=" + cert + "&key=" + cert,
		"TLS words without s": "redis://h?ca=" + ca,
	} {
		if _, err := open.Store(credential.NewSecret(url), open.Options{}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// certificate makes one that is its own authority, for 127.0.0.1.
func certificate(t *testing.T, dir string) (ca, cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, cert, key
}
