package configs_test

import (
	"strings"
	"testing"
)

func TestStoreURLs(t *testing.T) {
	for url, good := range map[string]bool{
		"memory://":                               true,
		"memory:///":                              true,
		"memory://x":                              false,
		"file:///var/lib/coatcheck/sessions.db":   true,
		"file://sessions.db":                      false,
		"file:///":                                false,
		"redis://localhost":                       true,
		"redis://localhost:6379/0":                true,
		"redis://user:pa%2Fss@localhost:6379/15":  true,
		"redis://:password@[::1]:6379":            true,
		"rediss://redis.example.com:6380/0?x=y":   true,
		"redis://a,b":                             false,
		"redis://":                                false,
		"redis:///0":                              false,
		"redis://localhost/zero":                  false,
		"redis://u:%zz@localhost":                 false,
		"redis-sentinel://h1:26379,h2/mymaster/0": true,
		"redis-sentinel://u:p@h1,h2/mymaster":     true,
		"redis-sentinel://h1,h2":                  false,
		"redis-sentinel://h1,/mymaster":           false,
		"redis-cluster://h1:7000,h2:7001":         true,
		"redis-cluster://h1/0":                    true,
		"redis-cluster://h1/3":                    false,
		"unix:///run/redis/redis.sock":            true,
		"unix://u:p@/run/redis.sock?db=2":         true,
		"unix://run/redis.sock":                   false,
		"unix:///":                                false,
		"unix:/run/redis.sock":                    false,
		"redis+unix:///run/redis.sock":            false,
		"redis-sentinel:///run/redis.sock/m":      false,
		"localhost:6379":                          false,
		"postgres://localhost":                    false,
		"REDIS://localhost":                       false,
		"redis://local host":                      false,
	} {
		c, faults := parse(strings.Replace(small(""), `"memory://"`, `"${STORE}"`, 1), map[string]string{"STORE": url})
		if (c != nil) != good {
			t.Errorf("%s: %v, want good: %v", url, faults, good)
		}
	}
}

func TestListenersMustDiffer(t *testing.T) {
	for admin, good := range map[string]bool{
		"127.0.0.1:9090": true, ":8080": false, "127.0.0.1:8080": false, "[::]:8080": false, "0.0.0.0:8080": false, "10.0.0.1:8081": true,
		"8080": false, "127.0.0.1": false, "127.0.0.1:http": false, "127.0.0.1:99999": false, "": false, "127.0.0.1:0": true,
	} {
		if c, faults := parse(small("listen: \":8080\"\nadmin: {listen: \""+admin+"\"}"), nil); (c != nil) != good {
			t.Errorf("%q: %v, want good: %v", admin, faults, good)
		}
	}
}
