package redis_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coatcheck/bff/credential"
	"coatcheck/bff/session/store"
	"coatcheck/bff/session/store/redis"
	"coatcheck/bff/session/store/storetest"
)

func TestSuite(t *testing.T) { storetest.Run(t, storetest.OfRedis(t, storetest.StartRedis(t)).Open) }

// TestSocketSuite: the same behind a Unix socket, in another database.
func TestSocketSuite(t *testing.T) {
	dir, err := os.MkdirTemp("", "redis") // not t.TempDir: a socket's path is 107 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	storetest.StartRedis(t, "--unixsocket", socket)
	storetest.Run(t, func() store.Store { return storetest.Open(t, "unix://"+socket+"?db=3", nil) })
}

// TestSocketURLs: what may stand in the URL of a socket.
func TestSocketURLs(t *testing.T) {
	for url, good := range map[string]bool{
		"unix:///run/redis.sock": true, "unix:///run/redis.sock?db=2": true, "unix://u:p%40@/run/redis.sock": true,
		"unix://run/redis.sock": false, "unix://": false, "unix:///run/": false, "unix:///run/redis.sock?db=x": false, "unix:///run/redis.sock?dbs=1": false,
		"redis://localhost?db=1": false, "unix:///run/redis.sock?ca=/ca.pem": false, "unix:///run/redis.sock?server_name=redis": false,
		"unix:///run/redis.sock?sentinel_username=u": false, "redis://localhost?sentinel_password=p": false, "redis-cluster://localhost?sentinel_password=p": false,
		"redis-sentinel://localhost/m?sentinel_password=p": true, "redis://localhost?ca=/ca.pem": false, "redis-sentinel://localhost/m?key=/k.pem": false,
		"unix:///" + strings.Repeat("x", 106): true, "unix:///" + strings.Repeat("x", 107): false, "redis-sentinel:///run/redis.sock/m": false,
	} {
		if err := redis.CheckURL(credential.NewSecret(url)); (err == nil) != good {
			t.Errorf("%s: %v", url, err)
		}
	}
}
